//! Our own backend: networks that are made of nothing but what MobileNetV2 and EfficientNet-Lite are made of, such as
//! those in `models/`, run in [`lifesign_conv`]; here their ONNX files become its graphs.

mod onnx;
#[cfg(test)]
mod tests;

use lifesign_conv::Value;
use tract_onnx::pb::GraphProto;
use tract_onnx::prelude::Framework;

use super::{InferenceError, Network, Output, Tensor};
use onnx::{Foreign, Form, Known, Translation, missing};

pub(super) struct ConvolutionalNetwork {
    network: lifesign_conv::Network,
    channels: usize,
    /// Of each output: whether it is flattened to a row of channels.
    flat: Vec<bool>,
}

impl ConvolutionalNetwork {
    pub(super) fn load(mut onnx: &[u8]) -> Result<Self, Foreign> {
        let model = tract_onnx::onnx()
            .proto_model_for_read(&mut onnx)
            .map_err(|error| Foreign::NoOnnx(error.to_string()))?;
        Self::of(&model.graph.ok_or_else(|| missing("graph"))?)
    }

    fn of(graph: &GraphProto) -> Result<Self, Foreign> {
        let translation = Translation::of(graph)?;
        let outputs = graph
            .output
            .iter()
            .map(|output| translation.map(&output.name));
        let outputs: Vec<Known> = outputs.collect::<Result<_, _>>()?;
        let values: Vec<Value> = outputs.iter().map(|known| known.value).collect();
        let channels = translation.graph.channels(translation.graph.input());
        Ok(ConvolutionalNetwork {
            network: lifesign_conv::Network::new(translation.graph, &values)?,
            channels,
            flat: outputs
                .iter()
                .map(|known| known.form == Form::Row)
                .collect(),
        })
    }

    /// Height and width of an input.
    fn sides(&self, shape: [usize; 4]) -> Result<(usize, usize), InferenceError> {
        match shape {
            [1, channels, height, width] if channels == self.channels => Ok((height, width)),
            _ => Err(InferenceError::new(format!(
                "the network takes one picture of {} channels at a time, not {shape:?}",
                self.channels
            ))),
        }
    }
}

impl Network for ConvolutionalNetwork {
    fn prepare(&self, shape: [usize; 4]) -> Result<(), InferenceError> {
        let (height, width) = self.sides(shape)?;
        self.network.fit(height, width).map_err(InferenceError::new)
    }

    fn run(&self, input: Tensor) -> Result<Vec<Output>, InferenceError> {
        let (height, width) = self.sides(input.shape)?;
        let maps = self.network.run(&input.data, height, width);
        let maps = maps.map_err(InferenceError::new)?.into_iter();
        let outputs = maps.zip(&self.flat).map(|(map, flat)| Output {
            shape: match flat {
                true => vec![1, map.channels],
                false => vec![1, map.channels, map.height, map.width],
            },
            data: map.planes,
        });
        Ok(outputs.collect())
    }

    fn runtime(&self) -> &'static str {
        "built-in"
    }
}
