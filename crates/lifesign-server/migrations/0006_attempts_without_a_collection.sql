-- Most attempts are in no collection: writing that down in an index was a page for every one of them.
DROP INDEX attempts_by_collection;
CREATE INDEX attempts_by_collection ON attempts (collection_id) WHERE collection_id IS NOT NULL;
