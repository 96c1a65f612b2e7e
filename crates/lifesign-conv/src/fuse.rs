//! From a graph's nodes to steps: clamps and scales become part of the convolution before them, sums of the
//! one that writes them, and expansion, depthwise convolution and projection become one block.

use crate::graph::{Graph, GraphError, Node, Value};
use crate::kernel::Clamp;
use crate::kernel::depthwise::Kernels;
use crate::kernel::product::Weights;
use crate::step::{Depthwise, Step, Work};

/// A node with what was fused into it.
struct Draft {
    node: Node,
    clamp: Clamp,
    add: Option<Value>,
    out: Value,
}

impl Draft {
    fn input(&self) -> Value {
        match self.node {
            Node::Input => self.out,
            Node::Convolution { input, .. }
            | Node::Doubling { input, .. }
            | Node::Scale { input, .. }
            | Node::Clamp { input, .. }
            | Node::Sum(input, _)
            | Node::Sigmoid(input)
            | Node::Mean(input) => input,
        }
    }

    /// Whether its results can still be changed while they are written.
    fn is_open(&self) -> bool {
        matches!(self.node, Node::Convolution { .. } | Node::Doubling { .. })
            && self.clamp == Clamp::NONE
            && self.add.is_none()
    }

    /// A convolution of all channels, whose products can take up a sum.
    fn is_product(&self) -> bool {
        matches!(
            self.node,
            Node::Convolution {
                depthwise: false,
                ..
            }
        )
    }
}

struct Fusion {
    drafts: Vec<Draft>,
    /// How often each value is read.
    uses: Vec<usize>,
}

/// The steps of `graph` that `outputs` need, in order.
///
/// # Errors
/// [`GraphError::Unsupported`] when a node is not one that can be run where it stands.
pub(crate) fn steps(graph: Graph, outputs: &[Value]) -> Result<Vec<Step>, GraphError> {
    if graph.channels(Graph::INPUT) == 0 {
        return Err(GraphError::Unsupported("an input without channels"));
    }
    let mut uses = vec![0; graph.nodes.len()];
    for output in outputs {
        if *output == Graph::INPUT {
            return Err(GraphError::Unsupported("an output that is the input"));
        }
        uses[output.0] += 1;
    }
    let mut drafts = Vec::new();
    for (nth, node) in graph.nodes.into_iter().enumerate() {
        let draft = Draft {
            node,
            clamp: Clamp::NONE,
            add: None,
            out: Value(nth),
        };
        if matches!(draft.node, Node::Input) {
            continue;
        }
        uses[draft.input().0] += 1;
        if let Node::Sum(_, other) = draft.node {
            uses[other.0] += 1;
        }
        drafts.push(draft);
    }
    let mut fusion = Fusion { drafts, uses };
    fusion.clamps_and_scales();
    fusion.sums();
    fusion.into_steps()
}

impl Fusion {
    /// Where the value that only one node reads is computed.
    fn only_source(&self, value: Value) -> Option<usize> {
        if self.uses[value.0] != 1 {
            return None;
        }
        self.drafts.iter().position(|draft| draft.out == value)
    }

    fn clamps_and_scales(&mut self) {
        let mut at = 0;
        while at < self.drafts.len() {
            match self.only_source(self.drafts[at].input()) {
                Some(source) if self.take_up(source, at) => {
                    let gone = self.drafts.remove(at);
                    self.drafts[source].out = gone.out;
                }
                _ => at += 1,
            }
        }
    }

    /// Makes the node at `at` part of its source, where that can be.
    fn take_up(&mut self, source: usize, at: usize) -> bool {
        if !self.drafts[source].is_open() {
            return false;
        }
        let [source, draft] = match self.drafts.get_disjoint_mut([source, at]) {
            Ok(both) => both,
            Err(_) => return false,
        };
        match (&draft.node, &mut source.node) {
            (&Node::Clamp { clamp, .. }, _) => source.clamp = clamp,
            (Node::Scale { scale, shift, .. }, Node::Convolution { weights, bias, .. }) => {
                let per_output = weights.len() / bias.len().max(1);
                for (weights, scale) in weights.chunks_exact_mut(per_output.max(1)).zip(scale) {
                    weights.iter_mut().for_each(|weight| *weight *= scale);
                }
                rescale(bias, scale, shift);
            }
            (Node::Scale { scale, shift, .. }, Node::Doubling { weights, bias, .. }) => {
                for (nth, weight) in weights.iter_mut().enumerate() {
                    *weight *= scale[nth / 4 % scale.len()];
                }
                rescale(bias, scale, shift);
            }
            _ => return false,
        }
        true
    }

    fn sums(&mut self) {
        let mut at = 0;
        while at < self.drafts.len() {
            let Node::Sum(a, b) = self.drafts[at].node else {
                at += 1;
                continue;
            };
            // The one that is computed last takes up the other, which is there by then.
            let ready = |value: Value| self.drafts.iter().position(|draft| draft.out == value);
            let (last, other) = match ready(a) > ready(b) {
                true => (a, b),
                false => (b, a),
            };
            match self.only_source(last) {
                Some(source)
                    if last != other
                        && self.drafts[source].is_product()
                        && self.drafts[source].add.is_none() =>
                {
                    let gone = self.drafts.remove(at);
                    self.drafts[source].add = Some(other);
                    self.drafts[source].out = gone.out;
                }
                _ => at += 1,
            }
        }
    }

    fn into_steps(self) -> Result<Vec<Step>, GraphError> {
        let Fusion { drafts, uses } = self;
        let mut steps = Vec::new();
        for draft in drafts {
            let step = step(draft)?;
            let step = block(step, &mut steps, &uses);
            steps.push(step);
        }
        Ok(steps)
    }
}

/// `step`, or the block that it ends: then what comes before it in the block is taken from `steps`.
fn block(mut step: Step, steps: &mut Vec<Step>, uses: &[usize]) -> Step {
    let feeds = |from: &Step, to: Value| from.out == to && uses[to.0] == 1 && from.add.is_none();
    if !step.is_point() {
        return step;
    }
    let before =
        steps.pop_if(|last| matches!(last.work, Work::Depthwise(_)) && feeds(last, step.input));
    let Some(Step {
        input,
        work: Work::Depthwise(depthwise),
        ..
    }) = before
    else {
        return step;
    };
    let before = steps.pop_if(|last| last.is_point() && feeds(last, input));
    let (input, expand) = match before {
        Some(Step {
            input,
            work: Work::Convolution { weights, clamp, .. },
            ..
        }) => (input, Some((weights, clamp))),
        _ => (input, None),
    };
    if let Work::Convolution { weights, clamp, .. } = step.work {
        step.input = input;
        step.work = Work::Block {
            expand,
            depthwise,
            project: weights,
            clamp,
        };
    }
    step
}

fn step(draft: Draft) -> Result<Step, GraphError> {
    let input = draft.input();
    let Draft {
        node,
        clamp,
        mut add,
        out,
    } = draft;
    let work = match node {
        Node::Convolution {
            window,
            depthwise: true,
            weights,
            bias,
            ..
        } => Work::Depthwise(Depthwise {
            kernels: Kernels::pack(&weights, &bias, window.side),
            window,
            clamp,
        }),
        Node::Convolution {
            window,
            weights,
            bias,
            ..
        } => {
            let weights = match window.side {
                1 => weights,
                side => channels_last(&weights, bias.len(), side * side),
            };
            Work::Convolution {
                weights: Weights::pack(&weights, &bias, weights.len() / bias.len()),
                window,
                clamp,
            }
        }
        Node::Doubling { weights, bias, .. } => Work::Doubling {
            weights: std::array::from_fn(|place| quarter(&weights, &bias, place)),
            clamp,
        },
        Node::Clamp { clamp, .. } => Work::Clamp(clamp),
        Node::Sum(_, other) => {
            add = Some(other);
            Work::Sum
        }
        Node::Sigmoid(_) => Work::Sigmoid,
        Node::Mean(_) => Work::Mean,
        Node::Input | Node::Scale { .. } => {
            return Err(GraphError::Unsupported(
                "a scale that follows no convolution",
            ));
        }
    };
    // The input alone has no more floats for a pixel than channels, which only products can read.
    let reads_input = input == Graph::INPUT && !matches!(work, Work::Convolution { .. });
    if reads_input || add == Some(Graph::INPUT) {
        return Err(GraphError::Unsupported(
            "what reads the input and is no convolution",
        ));
    }
    Ok(Step {
        input,
        add,
        out,
        work,
    })
}

fn rescale(bias: &mut [f32], scale: &[f32], shift: &[f32]) {
    for ((bias, scale), shift) in bias.iter_mut().zip(scale).zip(shift) {
        *bias = *bias * scale + shift;
    }
}

/// Weights of one output, in the order input, row, column, as row, column, input; for each of `outputs`.
fn channels_last(weights: &[f32], outputs: usize, places: usize) -> Vec<f32> {
    let inputs = weights.len() / (outputs * places).max(1);
    let of = |output: usize, place: usize, input: usize| {
        weights[(output * inputs + input) * places + place]
    };
    let outputs = 0..outputs;
    outputs
        .flat_map(|output| (0..places).map(move |place| (output, place)))
        .flat_map(|(output, place)| (0..inputs).map(move |input| of(output, place, input)))
        .collect()
}

/// The weights of one of the four pixels that a pixel becomes.
fn quarter(weights: &[f32], bias: &[f32], place: usize) -> Weights {
    let outputs = bias.len();
    let inputs = weights.len() / (4 * outputs).max(1);
    let of = |output: usize, input: usize| weights[(input * outputs + output) * 4 + place];
    let rows = (0..outputs).flat_map(|output| (0..inputs).map(move |input| of(output, input)));
    Weights::pack(&rows.collect::<Vec<_>>(), bias, inputs)
}
