//! From an ONNX file's operations to those of a [`Graph`].

use std::collections::HashMap;

use lifesign_conv::{Graph, GraphError, Value, Window};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto, ValueInfoProto};
use tract_onnx::pb::{tensor_shape_proto::dimension, type_proto};

/// Why a file is not run here. The other backend will say so if it is no network at all.
#[derive(Debug, thiserror::Error)]
pub(in crate::network) enum Foreign {
    #[error("no ONNX file: {0}")]
    NoOnnx(String),
    #[error("{0} is not among what is run here")]
    Operation(String),
    #[error("the file has no {0}")]
    Missing(String),
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// What is known of a value's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Map,
    /// A map of one pixel, whatever the input's size.
    Pixel,
    /// The channels of such a pixel.
    Row,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) value: Value,
    pub(super) form: Form,
}

/// A file's operations up to some node.
pub(super) struct Translation<'a> {
    constants: HashMap<&'a str, &'a TensorProto>,
    known: HashMap<&'a str, Known>,
    pub(super) graph: Graph,
}

impl<'a> Translation<'a> {
    pub(super) fn of(file: &'a GraphProto) -> Result<Self, Foreign> {
        let constants = file.initializer.iter();
        let constants: HashMap<&str, &TensorProto> = constants
            .map(|tensor| (tensor.name.as_str(), tensor))
            .collect();
        // Old exporters list weights among the inputs.
        let mut inputs = file.input.iter();
        let input = inputs.find(|input| !constants.contains_key(input.name.as_str()));
        let input = input.ok_or_else(|| missing("input"))?;
        let graph = Graph::new(channels(input)?);
        let first = Known {
            value: graph.input(),
            form: Form::Map,
        };
        let mut translation = Translation {
            constants,
            known: HashMap::from([(input.name.as_str(), first)]),
            graph,
        };
        for node in &file.node {
            let known = translation.node(node)?;
            let name = node
                .output
                .first()
                .ok_or_else(|| missing("output of a node"))?;
            translation.known.insert(name, known);
        }
        Ok(translation)
    }

    fn node(&mut self, node: &NodeProto) -> Result<Known, Foreign> {
        let input = self.map(argument(node, 0)?)?;
        let value = match node.op_type.as_str() {
            "Conv" => self.convolution(node, input.value)?,
            "ConvTranspose" => self.doubling(node, input.value)?,
            "BatchNormalization" => self.normalisation(node, input.value)?,
            "Relu" => self.graph.clamp(input.value, 0.0, f32::INFINITY),
            "Clip" => {
                let low = self.bound(node, 1, "min")?.unwrap_or(f32::NEG_INFINITY);
                let high = self.bound(node, 2, "max")?.unwrap_or(f32::INFINITY);
                self.graph.clamp(input.value, low, high)
            }
            "Add" => {
                let other = self.map(argument(node, 1)?)?;
                if other.form != input.form {
                    return Err(foreign(node));
                }
                self.graph.sum(input.value, other.value)?
            }
            "Sigmoid" => self.graph.sigmoid(input.value),
            "GlobalAveragePool" => {
                let value = self.graph.mean(input.value);
                return Ok(Known {
                    value,
                    form: Form::Pixel,
                });
            }
            "Flatten" if input.form != Form::Map && integer(node, "axis", 1) == 1 => {
                return Ok(Known {
                    form: Form::Row,
                    ..input
                });
            }
            "Gemm" if input.form == Form::Row => self.gemm(node, input.value)?,
            _ => return Err(foreign(node)),
        };
        Ok(Known { value, ..input })
    }

    fn convolution(&mut self, node: &NodeProto, input: Value) -> Result<Value, Foreign> {
        let (weights, shape) = self.tensor(argument(node, 1)?)?;
        let &[outputs, per_output, side, across] = shape.as_slice() else {
            return Err(foreign(node));
        };
        let strides = integers(node, "strides", 2, 1);
        let (Some(pads), true) = (
            pads(node),
            side == across && strides[0] == strides[1] && is_plain(node),
        ) else {
            return Err(foreign(node));
        };
        let stride = usize::try_from(strides[0]).map_err(|_| foreign(node))?;
        let window = Window { side, stride, pads };
        let bias = self.bias(node, outputs)?;
        let channels = self.graph.channels(input);
        Ok(match integer(node, "group", 1) {
            1 => self.graph.convolution(input, window, weights, bias)?,
            groups if groups as usize == channels && per_output == 1 => {
                self.graph.depthwise(input, window, weights, bias)?
            }
            _ => return Err(foreign(node)),
        })
    }

    /// A transposed convolution, of the one kind that there is.
    fn doubling(&mut self, node: &NodeProto, input: Value) -> Result<Value, Foreign> {
        let (weights, shape) = self.tensor(argument(node, 1)?)?;
        let &[_, outputs, 2, 2] = shape.as_slice() else {
            return Err(foreign(node));
        };
        let plain = is_plain(node)
            && integers(node, "strides", 2, 1) == [2, 2]
            && integers(node, "output_padding", 2, 0) == [0, 0]
            && integer(node, "group", 1) == 1
            && attribute(node, "output_shape").is_none()
            && pads(node) == Some([0; 4]);
        if !plain {
            return Err(foreign(node));
        }
        let bias = self.bias(node, outputs)?;
        Ok(self.graph.doubling(input, weights, bias)?)
    }

    fn normalisation(&mut self, node: &NodeProto, input: Value) -> Result<Value, Foreign> {
        let part = |nth| Ok::<_, Foreign>(self.tensor(argument(node, nth)?)?.0);
        let (weight, bias, mean, variance) = (part(1)?, part(2)?, part(3)?, part(4)?);
        let epsilon = attribute(node, "epsilon").map_or(1e-5, |epsilon| epsilon.f);
        let scale = weight.iter().zip(&variance);
        let scale: Vec<f32> = scale
            .map(|(weight, variance)| weight / (variance + epsilon).sqrt())
            .collect();
        let shift = bias.iter().zip(&mean).zip(&scale);
        let shift = shift
            .map(|((bias, mean), scale)| bias - mean * scale)
            .collect();
        Ok(self.graph.scale(input, scale, shift)?)
    }

    /// A product with a matrix, which is a convolution of the one pixel there is.
    fn gemm(&mut self, node: &NodeProto, input: Value) -> Result<Value, Foreign> {
        let (weights, shape) = self.tensor(argument(node, 1)?)?;
        let factor = |name| attribute(node, name).map_or(1.0, |factor| factor.f);
        let (1, 0, &[outputs, _]) = (
            integer(node, "transB", 0),
            integer(node, "transA", 0),
            shape.as_slice(),
        ) else {
            return Err(foreign(node));
        };
        if factor("alpha") != 1.0 || factor("beta") != 1.0 {
            return Err(foreign(node));
        }
        let window = Window {
            side: 1,
            stride: 1,
            pads: [0; 4],
        };
        let bias = self.bias(node, outputs)?;
        Ok(self.graph.convolution(input, window, weights, bias)?)
    }

    pub(super) fn map(&self, name: &str) -> Result<Known, Foreign> {
        self.known.get(name).copied().ok_or_else(|| missing(name))
    }

    /// A node's third argument, or zeros.
    fn bias(&self, node: &NodeProto, outputs: usize) -> Result<Vec<f32>, Foreign> {
        match node.input.get(2).filter(|name| !name.is_empty()) {
            Some(name) => Ok(self.tensor(name)?.0),
            None => Ok(vec![0.0; outputs]),
        }
    }

    /// A bound of Clip: an argument, in older files an attribute.
    fn bound(&self, node: &NodeProto, nth: usize, name: &str) -> Result<Option<f32>, Foreign> {
        match node.input.get(nth).filter(|name| !name.is_empty()) {
            Some(name) => Ok(self.tensor(name)?.0.first().copied()),
            None => Ok(attribute(node, name).map(|bound| bound.f)),
        }
    }

    /// Values and shape of a constant.
    fn tensor(&self, name: &str) -> Result<(Vec<f32>, Vec<usize>), Foreign> {
        let tensor = self.constants.get(name).ok_or_else(|| missing(name))?;
        if tensor.data_type != DataType::Float as i32 {
            return Err(Foreign::Operation(format!(
                "`{name}`, which is not of floats,"
            )));
        }
        let values: Vec<f32> = match tensor.raw_data.is_empty() {
            true => tensor.float_data.clone(),
            false => {
                let (floats, _) = tensor.raw_data.as_chunks();
                floats
                    .iter()
                    .map(|&bytes| f32::from_le_bytes(bytes))
                    .collect()
            }
        };
        let shape = tensor
            .dims
            .iter()
            .map(|&side| usize::try_from(side).ok().filter(|&s| s > 0));
        let shape: Option<Vec<usize>> = shape.collect();
        // What is computed with the sides from here on is no more than there are values.
        let count = |shape: &Vec<usize>| shape.iter().try_fold(1usize, |n, &s| n.checked_mul(s));
        match shape.filter(|shape| count(shape) == Some(values.len())) {
            Some(shape) => Ok((values, shape)),
            None => Err(Foreign::Operation(format!(
                "`{name}`, which has {} values for sides of {:?},",
                values.len(),
                tensor.dims
            ))),
        }
    }
}

pub(super) fn missing(what: &str) -> Foreign {
    Foreign::Missing(what.to_owned())
}

fn foreign(node: &NodeProto) -> Foreign {
    Foreign::Operation(format!("{} as `{}` has it", node.op_type, node.name))
}

fn argument(node: &NodeProto, nth: usize) -> Result<&str, Foreign> {
    let name = node.input.get(nth);
    Ok(name.ok_or_else(|| foreign(node))?)
}

fn attribute<'a>(node: &'a NodeProto, name: &str) -> Option<&'a AttributeProto> {
    node.attribute
        .iter()
        .find(|attribute| attribute.name == name)
}

fn integer(node: &NodeProto, name: &str, otherwise: i64) -> i64 {
    attribute(node, name).map_or(otherwise, |attribute| attribute.i)
}

fn integers(node: &NodeProto, name: &str, count: usize, otherwise: i64) -> Vec<i64> {
    let found = attribute(node, name).map(|attribute| attribute.ints.clone());
    found
        .filter(|found| found.len() == count)
        .unwrap_or_else(|| vec![otherwise; count])
}

/// Above, left, below, right.
fn pads(node: &NodeProto) -> Option<[usize; 4]> {
    let pads = integers(node, "pads", 4, 0).into_iter();
    let pads: Vec<usize> = pads
        .map(|pad| usize::try_from(pad).ok())
        .collect::<Option<_>>()?;
    pads.try_into().ok()
}

/// Neither dilated nor padded by a rule.
fn is_plain(node: &NodeProto) -> bool {
    let rule = attribute(node, "auto_pad").map_or(&b"NOTSET"[..], |rule| &rule.s);
    rule == b"NOTSET" && integers(node, "dilations", 2, 1) == [1, 1]
}

/// Channels of the network's input.
fn channels(input: &ValueInfoProto) -> Result<usize, Foreign> {
    let shape = input.r#type.as_ref().and_then(|kind| match &kind.value {
        Some(type_proto::Value::TensorType(tensor)) => tensor.shape.as_ref(),
        _ => None,
    });
    let shape = shape.filter(|shape| shape.dim.len() == 4);
    match shape.and_then(|shape| shape.dim[1].value.as_ref()) {
        Some(&dimension::Value::DimValue(channels)) if channels > 0 => Ok(channels as usize),
        _ => Err(missing("number of channels")),
    }
}
