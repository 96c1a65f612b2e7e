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
    fn is_product(&self, side: Option<usize>) -> bool {
        matches!(&self.node, Node::Convolution { depthwise: false, window, .. }
            if side.is_none_or(|side| window.side == side && window.stride == 1))
    }

    fn is_depthwise(&self) -> bool {
        matches!(
            self.node,
            Node::Convolution {
                depthwise: true,
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
                        && self.drafts[source].is_product(None)
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
        let feeds = |from: &Draft, to: &Draft| to.input() == from.out && uses[from.out.0] == 1;
        let mut rest = drafts;
        while !rest.is_empty() {
            let length = match &rest[..] {
                [expand, depthwise, project, ..]
                    if expand.is_product(Some(1))
                        && expand.add.is_none()
                        && depthwise.is_depthwise()
                        && project.is_product(Some(1))
                        && feeds(expand, depthwise)
                        && feeds(depthwise, project) =>
                {
                    3
                }
                [depthwise, project, ..]
                    if depthwise.is_depthwise()
                        && project.is_product(Some(1))
                        && feeds(depthwise, project) =>
                {
                    2
                }
                _ => 1,
            };
            let after = rest.split_off(length);
            steps.push(step(rest)?);
            rest = after;
        }
        Ok(steps)
    }
}

/// One step of one draft, or of those that make up a block.
fn step(mut drafts: Vec<Draft>) -> Result<Step, GraphError> {
    let input = drafts[0].input();
    let Some(last) = drafts.pop() else {
        return Err(GraphError::Unsupported("nothing"));
    };
    let (mut add, out, clamp) = (last.add, last.out, last.clamp);
    let depthwise = drafts.pop();
    let expand = drafts.pop();
    let work = match (depthwise, last.node) {
        (Some(middle), Node::Convolution { weights, bias, .. }) => Work::Block {
            expand: match expand {
                Some(Draft {
                    node: Node::Convolution { weights, bias, .. },
                    clamp,
                    ..
                }) => Some((pointwise(&weights, &bias), clamp)),
                _ => None,
            },
            depthwise: match middle.node {
                Node::Convolution {
                    window,
                    weights,
                    bias,
                    ..
                } => Depthwise {
                    kernels: Kernels::pack(&weights, &bias, window.side),
                    window,
                    clamp: middle.clamp,
                },
                _ => return Err(GraphError::Unsupported("such a block")),
            },
            project: pointwise(&weights, &bias),
            clamp,
        },
        (
            _,
            Node::Convolution {
                window,
                depthwise: true,
                weights,
                bias,
                ..
            },
        ) => Work::Depthwise(Depthwise {
            kernels: Kernels::pack(&weights, &bias, window.side),
            window,
            clamp,
        }),
        (
            _,
            Node::Convolution {
                window,
                weights,
                bias,
                ..
            },
        ) => Work::Convolution {
            weights: {
                let places = window.side * window.side;
                pointwise(&channels_last(&weights, bias.len(), places), &bias)
            },
            window,
            clamp,
        },
        (_, Node::Doubling { weights, bias, .. }) => Work::Doubling {
            weights: std::array::from_fn(|place| quarter(&weights, &bias, place)),
            clamp,
        },
        (_, Node::Clamp { clamp, .. }) => Work::Clamp(clamp),
        (_, Node::Sum(_, other)) => {
            add = Some(other);
            Work::Sum
        }
        (_, Node::Sigmoid(_)) => Work::Sigmoid,
        (_, Node::Mean(_)) => Work::Mean,
        (_, Node::Input | Node::Scale { .. }) => {
            return Err(GraphError::Unsupported(
                "a scale that follows no convolution",
            ));
        }
    };
    // The input alone has no more floats for a pixel than channels, which only products can read.
    let products = matches!(
        work,
        Work::Convolution { .. }
            | Work::Block {
                expand: Some(_),
                ..
            }
    );
    if (input == Graph::INPUT && !products) || add == Some(Graph::INPUT) {
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

fn pointwise(weights: &[f32], bias: &[f32]) -> Weights {
    Weights::pack(weights, bias, weights.len() / bias.len().max(1))
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
