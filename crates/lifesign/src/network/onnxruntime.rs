//! The ONNX Runtime backend, for those who build with the feature `onnxruntime`: two to three times as
//! fast as tract on networks of other kinds than ours, and a C++ library that has to be on the machine. It is loaded when the
//! first network is, from the file that `ORT_DYLIB_PATH` names.
//!
//! A session runs one input at a time, and is fastest where it knows the input's shape beforehand: so
//! there are as many for each shape as threads have asked at the same time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use super::{InferenceError, Network, Output, Tensor};

type Shape = [usize; 4];

/// Where the library is.
const LIBRARY: &str = "ORT_DYLIB_PATH";

/// There may be one in a process.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

pub(super) struct OnnxRuntime {
    onnx: Vec<u8>,
    idle: Mutex<HashMap<Shape, Vec<Session>>>,
}

impl OnnxRuntime {
    pub(super) fn load(onnx: &[u8]) -> Result<Self, InferenceError> {
        // Whether it is a network at all; the shapes come later.
        session(onnx, None)?;
        Ok(OnnxRuntime {
            onnx: onnx.to_vec(),
            idle: Mutex::default(),
        })
    }

    fn take(&self, shape: Shape) -> Result<Session, InferenceError> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let known = idle.get_mut(&shape).and_then(Vec::pop);
        // Others need not wait until this one is made.
        drop(idle);
        match known {
            Some(session) => Ok(session),
            None => session(&self.onnx, Some(shape)),
        }
    }

    fn put_back(&self, shape: Shape, session: Session) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.entry(shape).or_default().push(session);
    }
}

impl Network for OnnxRuntime {
    fn prepare(&self, shape: Shape) -> Result<(), InferenceError> {
        let session = self.take(shape)?;
        self.put_back(shape, session);
        Ok(())
    }

    fn run(&self, input: Tensor) -> Result<Vec<Output>, InferenceError> {
        let mut session = self.take(input.shape)?;
        let outputs = answer(&mut session, &input)?;
        self.put_back(input.shape, session);
        Ok(outputs)
    }

    fn runtime(&self) -> &'static str {
        "onnxruntime"
    }
}

fn answer(session: &mut Session, input: &Tensor) -> Result<Vec<Output>, InferenceError> {
    let tensor = TensorRef::from_array_view((input.shape, &*input.data));
    let outputs = session
        .run(ort::inputs![tensor.map_err(InferenceError::new)?])
        .map_err(InferenceError::new)?;
    let outputs = outputs.values().map(|output| {
        let (shape, data) = output
            .try_extract_tensor::<f32>()
            .map_err(InferenceError::new)?;
        Ok(Output {
            shape: shape.iter().map(|&side| side as usize).collect(),
            data: data.to_vec(),
        })
    });
    outputs.collect()
}

/// A session on one thread: the service has one for each core, and requests enough for all of them.
fn session(onnx: &[u8], shape: Option<Shape>) -> Result<Session, InferenceError> {
    let build = |environment: Environment| -> ort::Result<Session> {
        let mut builder = Session::builder(&environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(1)?
            .with_inter_threads(1)?;
        if let Some([batch, _, height, width]) = shape {
            // What exporters call the sides that a file leaves open; others are found at each run.
            for (name, side) in [("B", batch), ("H", height), ("W", width)] {
                builder = builder.with_dimension_override(name, side as i64)?;
            }
        }
        builder.commit_from_memory(onnx)
    };
    build(environment()?).map_err(InferenceError::new)
}

/// The process's one environment, made when it is first asked for: whoever uses ONNX Runtime beside the
/// engine has to share it.
///
/// # Errors
/// [`InferenceError`] when `ORT_DYLIB_PATH` names no library of ONNX Runtime.
pub fn environment() -> Result<Environment, InferenceError> {
    let mut made = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = made.as_ref() {
        return Ok(environment.clone());
    }
    let library = std::env::var_os(LIBRARY).ok_or_else(|| {
        InferenceError::new(format!(
            "this build runs its networks in ONNX Runtime, whose library {LIBRARY} must name, \
             such as /usr/lib/libonnxruntime.so"
        ))
    })?;
    let environment = ort::init_from(library).map_err(InferenceError::new)?;
    let environment = environment.build().map_err(InferenceError::new)?;
    Ok(made.insert(environment).clone())
}
