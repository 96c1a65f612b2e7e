//! The tract backend, for networks of any kind. tract optimises a network for one input shape, so a plan is made for each
//! shape on its first use and kept; the engine's callers use few shapes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::format_err;
use tract_onnx::tract_core::transform::get_transform;

use super::{InferenceError, Network, Output, Tensor as Input};

type Shape = [usize; 4];
type Plan = Arc<TypedRunnableModel>;

pub(super) struct TractNetwork {
    model: InferenceModel,
    plans: RwLock<HashMap<Shape, Plan>>,
}

impl TractNetwork {
    pub(super) fn load(mut onnx: &[u8]) -> Result<Self, InferenceError> {
        let mut model = tract_onnx::onnx()
            .model_for_read(&mut onnx)
            .map_err(InferenceError::new)?;
        // Output shapes written in the file hold for its own input shape only; let them follow.
        for output in 0..model.outputs.len() {
            model
                .set_output_fact(output, Default::default())
                .map_err(InferenceError::new)?;
        }
        Ok(TractNetwork {
            model,
            plans: RwLock::default(),
        })
    }

    fn plan(&self, shape: Shape) -> Result<Plan, InferenceError> {
        let known = self
            .plans
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&shape)
            .cloned();
        if let Some(plan) = known {
            return Ok(plan);
        }
        let plan = self
            .model
            .clone()
            .with_input_fact(0, f32::fact(shape).into())
            .and_then(|model| model.into_typed()?.into_decluttered())
            .and_then(|model| channels_last(model)?.into_optimized())
            .and_then(|model| model.into_runnable())
            .map_err(InferenceError::new)?;
        let mut plans = self.plans.write().unwrap_or_else(PoisonError::into_inner);
        Ok(plans.entry(shape).or_insert(plan).clone())
    }
}

/// The same computation with all channels of a pixel side by side, which is faster for depthwise convolutions on
/// small pictures: those that PAD networks see.
fn channels_last(mut model: TypedModel) -> TractResult<TypedModel> {
    let transform = get_transform("conv_nhwc")?;
    model.transform(&*transform.ok_or_else(|| format_err!("tract has no conv_nhwc"))?)?;
    // Moves an axis only where the network begins and ends, no longer around each convolution.
    model.into_decluttered()
}

impl Network for TractNetwork {
    fn prepare(&self, shape: Shape) -> Result<(), InferenceError> {
        self.plan(shape).map(drop)
    }

    fn run(&self, input: Input) -> Result<Vec<Output>, InferenceError> {
        let plan = self.plan(input.shape)?;
        let tensor = tract_ndarray::Array4::from_shape_vec(input.shape, input.data)
            .map_err(InferenceError::new)?
            .into_tensor();
        let outputs = plan
            .run(tvec!(tensor.into()))
            .map_err(InferenceError::new)?;
        outputs
            .iter()
            .map(|output| {
                let view = output
                    .to_plain_array_view::<f32>()
                    .map_err(InferenceError::new)?;
                Ok(Output {
                    shape: view.shape().to_vec(),
                    data: view.iter().copied().collect(),
                })
            })
            .collect()
    }

    fn runtime(&self) -> &'static str {
        "tract"
    }
}
