"""Holds deploy/ against the rest of the project and against itself. deploy/lint runs it."""

import json
import re
from pathlib import Path

import pytest
import yaml

try:
    import promql_parser
except ImportError:
    promql_parser = None

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
PROMETHEUS = DEPLOY / "prometheus"
DASHBOARDS = sorted((DEPLOY / "grafana").glob("*.json"))

# Applied by hand, so it is in no kustomization.
EXAMPLES = {"bulk-job.yaml"}

SUFFIXES = {"counter": [""], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}


def documents(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def known_metrics():
    """Every series name that may be asked for, with the labels that it has."""
    known = {"up": {"job", "instance"}}
    for line in (ROOT / "tests/deploy/metrics.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, kind, *labels = line.split()
            labels = set(labels[0].split(",")) if labels else set()
            for suffix in SUFFIXES[kind]:
                known[name + suffix] = labels | {"job", "instance"} | ({"le"} if suffix == "_bucket" else set())
    return known


def rules():
    groups = documents(PROMETHEUS / "alerts.yaml")[0]["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def expressions():
    """Where an expression stands, and the expression as Prometheus gets it."""
    for rule in rules():
        yield rule.get("alert") or rule["record"], rule["expr"]
    for path in DASHBOARDS:
        for panel in panels(json.loads(path.read_text())):
            for target in panel.get("targets", []):
                expression = target["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*")
                yield f"{path.name}: {panel['title']}", expression


EXPRESSIONS = list(expressions())


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_expressions_parse_and_use_metrics_and_labels_that_exist(where, expression):
    if promql_parser:
        promql_parser.parse(expression)
    known = known_metrics()
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    names = re.findall(r"\blifesign_\w+|\bup\b(?={)", re.sub(r"\w+:\w+:\w+", "", expression))
    assert names or any(name in expression for name in recorded)
    for name in names:
        assert name in known, f"{where} asks for {name}, which tests/deploy/metrics.txt does not have"
    for name, selector in re.findall(r"\b(lifesign_\w+|up)\{([^}]*)\}", expression):
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector):
            assert label in known[name], f"{where}: {name} has no label {label}"
    for clause in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression):
        for label in re.split(r",\s*", clause):
            assert any(label in known[name] for name in names), f"{where}: nothing has the label {label}"
    for name in re.findall(r"\w+:\w+:\w+", expression):
        assert name in recorded, f"{where} asks for {name}, which no rule records"


def test_every_metric_is_on_a_dashboard():
    shown = " ".join(expression for where, expression in EXPRESSIONS if ".json" in where)
    for line in (ROOT / "tests/deploy/metrics.txt").read_text().splitlines():
        if not line.startswith("#"):
            assert line.split()[0] in shown


def test_every_alert_says_what_it_is_and_what_to_do():
    alerts = [rule for rule in rules() if "alert" in rule]
    assert alerts
    for alert in alerts:
        assert alert["labels"]["severity"] in {"critical", "warning"}
        assert alert["annotations"]["summary"]
        assert len(alert["annotations"]["description"]) > 100, alert["alert"]
    tested = (PROMETHEUS / "alerts_test.yaml").read_text()
    assert [alert["alert"] for alert in alerts if alert["alert"] not in tested] == []


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_dashboards_can_be_imported(path):
    dashboard = json.loads(path.read_text())
    assert dashboard["schemaVersion"] >= 39
    assert dashboard["id"] is None, "the id of the Grafana that it was exported from"
    ids = [panel["id"] for panel in panels(dashboard)]
    assert len(ids) == len(set(ids))
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    assert "datasource" in variables
    taken = set()
    for panel in panels(dashboard):
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"
            assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])


def test_every_variable_is_a_key_of_the_operators_guide():
    guide = (ROOT / "docs/operate.md").read_text()
    keys = {"LIFESIGN_" + key.upper() for key in re.findall(r"^\| `(\w+)` \|", guide, re.M)} | {"LIFESIGN_CONFIG"}
    assert len(keys) > 20
    for path in [*DEPLOY.rglob("*"), ROOT / "docs/scaling.md"]:
        if path.is_file():
            # Comments may name what Kubernetes makes of a Service's name.
            for variable in set(re.findall(r"\bLIFESIGN_[A-Z_]+\b", path.read_text())) - {"LIFESIGN_PORT"}:
                assert variable in keys, f"{path.relative_to(ROOT)}: {variable} is no key"


def test_the_kustomization_lists_every_file():
    kustomization = documents(KUBERNETES / "kustomization.yaml")[0]
    listed = set(kustomization["resources"])
    for generator in kustomization["configMapGenerator"]:
        listed.update(generator["envs"])
    there = {path.name for path in KUBERNETES.iterdir()} - {"kustomization.yaml"} - EXAMPLES
    assert listed == there


def test_kubernetes_objects_fit_together():
    objects = {}
    for path in KUBERNETES.glob("*.yaml"):
        for document in documents(path):
            objects[document["kind"]] = document
    assert all("namespace" not in document.get("metadata", {}) for document in objects.values())
    pod = objects["Deployment"]["spec"]["template"]
    labels = pod["metadata"]["labels"]
    selectors = [
        objects["Deployment"]["spec"]["selector"]["matchLabels"],
        objects["Service"]["spec"]["selector"],
        objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector.items() <= labels.items()
        # The bulk job's pods are no servers.
        assert not selector.items() <= objects["Job"]["spec"]["template"]["metadata"]["labels"].items()
    assert objects["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == objects["Deployment"]["metadata"]["name"]
    assert pod["spec"]["serviceAccountName"] == objects["ServiceAccount"]["metadata"]["name"]

    settings = dict(
        line.split("=", 1) for line in (KUBERNETES / "settings.env").read_text().splitlines() if not line.startswith("#")
    )
    server = pod["spec"]["containers"][0]
    ports = {port["name"]: port["containerPort"] for port in server["ports"]}
    assert settings["LIFESIGN_LISTEN"].endswith(f":{ports['http']}")
    assert settings["LIFESIGN_METRICS_LISTEN"].endswith(f":{ports['metrics']}")
    timeout = int(settings["LIFESIGN_REQUEST_TIMEOUT"].removesuffix("s"))
    pause = server["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["spec"]["terminationGracePeriodSeconds"] > timeout + pause


@pytest.mark.parametrize("name", ["deployment.yaml", "bulk-job.yaml"])
def test_pods_keep_to_the_restricted_profile(name):
    pod = documents(KUBERNETES / name)[0]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    # A Service named lifesign would otherwise make variables that look like our keys.
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"] + pod.get("initContainers", []):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


def test_the_bulk_job_has_as_many_parts_as_its_shards():
    job = documents(KUBERNETES / "bulk-job.yaml")[0]["spec"]
    assert job["completionMode"] == "Indexed"
    arguments = job["template"]["spec"]["containers"][0]["args"]
    assert arguments[arguments.index("--shard") + 1] == f"$(JOB_COMPLETION_INDEX)/{job['completions']}"


def test_compose_keeps_passwords_out_and_privileges_away():
    compose = documents(DEPLOY / "compose.yaml")[0]
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        for variable, value in service.get("environment", {}).items():
            if "PASSWORD" in variable or "postgres://" in value:
                assert "${POSTGRES_PASSWORD:?" in value, f"{name}: {variable}"
        # Reached from this machine only, where the proxy is.
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    lifesign = compose["services"]["lifesign"]
    assert lifesign["read_only"] is True
    assert lifesign["depends_on"]["database"]["condition"] == "service_healthy"
    ignored = (DEPLOY / ".gitignore").read_text().splitlines()
    assert "/.env" in ignored and "/secrets/" in ignored
    assert compose["secrets"]["lifesign_secret"]["file"].startswith("./secrets/")


def images():
    for path in [DEPLOY / "compose.yaml", *KUBERNETES.glob("*.yaml")]:
        for image in re.findall(r"^\s*image: (\S+)$", path.read_text(), re.M):
            yield path.name, image
    for image in re.findall(r"^FROM (\S+)", (DEPLOY / "Containerfile").read_text(), re.M):
        yield "Containerfile", image


def test_images_are_pinned():
    for where, image in images():
        # `lifesign` in the Deployment gets its tag from the kustomization.
        if (where, image) != ("deployment.yaml", "lifesign"):
            assert ":" in image and not image.endswith(":latest"), f"{where}: {image}"


def test_the_image_is_built_from_all_that_the_binary_includes():
    copied = [
        folder
        for line in re.findall(r"^COPY (?!--)(.+) \S+$", (DEPLOY / "Containerfile").read_text(), re.M)
        for folder in line.split()
    ]
    assert "crates" in copied
    for entry in copied:
        assert (ROOT / entry).exists(), entry
    sources = {
        path: path.read_text() for path in (ROOT / "crates").rglob("*.rs") if "tests" not in path.relative_to(ROOT).parts
    }
    # What only tests include is not there, and not needed.
    only_tests = {name for text in sources.values() for name in re.findall(r"#\[cfg\(test\)\]\s*mod (\w+);", text)}
    for source, text in sources.items():
        if source.stem in only_tests:
            continue
        program = re.split(r"#\[cfg\(test\)\]\s*mod \w+ {", text)[0]
        for path in re.findall(r'include_(?:str|bytes|dir)!\(\s*"([^"]+)"', program):
            included = (source.parent / path).resolve().relative_to(ROOT)
            assert any(included.is_relative_to(entry) for entry in copied), f"{source.relative_to(ROOT)} includes {included}"
    for script in (ROOT / "crates").glob("*/build.rs"):
        for path in re.findall(r'join\("(\.\./[^"]+)"\)', script.read_text()):
            included = (script.parent / path).resolve().relative_to(ROOT)
            assert any(included.is_relative_to(entry) for entry in copied), f"{script.relative_to(ROOT)} reads {included}"


def test_versions_agree():
    """The compiler is one that the workspace allows, and what is deployed is what is built."""
    manifest = (ROOT / "Cargo.toml").read_text()
    needed = re.search(r'rust-version = "([\d.]+)"', manifest)[1]
    builder = re.search(r"^FROM rust:([\d.]+)-", (DEPLOY / "Containerfile").read_text(), re.M)[1]
    assert [int(n) for n in builder.split(".")] >= [int(n) for n in needed.split(".")]
    version = re.search(r'^version = "([\d.]+)"', manifest, re.M)[1]
    for where, image in images():
        if re.fullmatch(r"(?:.*/)?lifesign:.+", image):
            assert image.endswith(f":{version}"), f"{where}: {image}"
    assert documents(KUBERNETES / "kustomization.yaml")[0]["images"][0]["newTag"] == version
