//! Of networks written by hand; `network`'s own tests take those of `models/`.

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto, ValueInfoProto};
use tract_onnx::pb::{TensorShapeProto, TypeProto, type_proto};

use super::*;

fn tensor(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: DataType::Float as i32,
        raw_data: values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
        ..TensorProto::default()
    }
}

fn node(kind: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: kind.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

fn with(mut node: NodeProto, name: &str, ints: &[i64]) -> NodeProto {
    node.attribute.push(AttributeProto {
        name: name.to_owned(),
        ints: ints.to_vec(),
        i: ints[0],
        f: ints[0] as f32,
        ..AttributeProto::default()
    });
    node
}

fn value(name: &str, channels: i64) -> ValueInfoProto {
    let dimension = |value| Dimension {
        value: Some(value),
        ..Dimension::default()
    };
    let open = || dimension(dimension::Value::DimParam("N".to_owned()));
    let channels = dimension(dimension::Value::DimValue(channels));
    let shape = TensorShapeProto {
        dim: vec![open(), channels, open(), open()],
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(type_proto::Tensor {
                elem_type: DataType::Float as i32,
                shape: Some(shape),
            })),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

/// A network of two channels whose last node writes `out`.
fn network(
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
) -> Result<Box<dyn Network>, Foreign> {
    let graph = GraphProto {
        node: nodes,
        initializer: constants,
        input: vec![value("in", 2)],
        output: vec![value("out", 1)],
        ..GraphProto::default()
    };
    Ok(Box::new(ConvolutionalNetwork::of(&graph)?))
}

/// What it makes of two pixels of two channels.
fn run(network: &dyn Network) -> Output {
    let input = Tensor {
        shape: [1, 2, 1, 2],
        data: vec![1.0, 2.0, 10.0, 20.0],
    };
    network.run(input).unwrap().remove(0)
}

#[test]
fn operations_are_read_as_onnx_defines_them() {
    let point = tensor("w", &[1, 2, 1, 1], &[1.0, 0.5]);
    let convolution = || node("Conv", &["in", "w"], "c");
    let network_of = |last: NodeProto, constants: &[TensorProto]| {
        let mut all = vec![point.clone()];
        all.extend_from_slice(constants);
        network(vec![convolution(), last], all).unwrap()
    };
    let found = run(network_of(node("Relu", &["c"], "out"), &[]).as_ref());
    assert_eq!(
        (found.shape, found.data),
        (vec![1, 1, 1, 2], vec![6.0, 12.0])
    );
    let clipped = with(with(node("Clip", &["c"], "out"), "min", &[0]), "max", &[7]);
    assert_eq!(run(network_of(clipped, &[]).as_ref()).data, [6.0, 7.0]);
    let bounds = [tensor("low", &[], &[8.0]), tensor("high", &[], &[9.0])];
    let clipped = node("Clip", &["c", "low", "high"], "out");
    assert_eq!(run(network_of(clipped, &bounds).as_ref()).data, [8.0, 9.0]);
    let normalised = with(
        node("BatchNormalization", &["c", "g", "b", "m", "v"], "out"),
        "epsilon",
        &[1],
    );
    let statistics = [("g", 4.0), ("b", 1.0), ("m", 6.0), ("v", 3.0)];
    let statistics = statistics.map(|(name, value)| tensor(name, &[1], &[value]));
    // (x - 6) / sqrt(3 + 1) * 4 + 1
    assert_eq!(
        run(network_of(normalised, &statistics).as_ref()).data,
        [1.0, 13.0]
    );
}

#[test]
fn a_classifiers_end_is_a_row_of_channels() {
    let nodes = || {
        vec![
            node("Conv", &["in", "w"], "c"),
            node("GlobalAveragePool", &["c"], "p"),
            node("Flatten", &["p"], "f"),
            with(node("Gemm", &["f", "m", "b"], "out"), "transB", &[1]),
        ]
    };
    let constants = || {
        vec![
            tensor("w", &[1, 2, 1, 1], &[1.0, 0.5]),
            tensor("m", &[2, 1], &[1.0, -1.0]),
            tensor("b", &[2], &[0.5, 0.0]),
        ]
    };
    let found = run(network(nodes(), constants()).unwrap().as_ref());
    assert_eq!((found.shape, found.data), (vec![1, 2], vec![9.5, -9.0]));
    // Without the pool the row's length would depend on the picture's.
    let mut unpooled = nodes();
    unpooled.remove(1);
    unpooled[1] = node("Flatten", &["c"], "f");
    assert!(matches!(
        network(unpooled, constants()),
        Err(Foreign::Operation(_))
    ));
}

#[test]
fn what_is_not_of_our_kind_is_left_to_others() {
    let convolution = || node("Conv", &["in", "w"], "out");
    let three = || tensor("w", &[2, 2, 3, 3], &[0.0; 36]);
    let of = |node: NodeProto, weights: TensorProto| network(vec![node], vec![weights]);
    assert!(of(convolution(), three()).is_ok());
    let foreign = [
        of(with(convolution(), "dilations", &[2, 2]), three()),
        of(with(convolution(), "strides", &[1, 2]), three()),
        of(with(convolution(), "strides", &[-1, -1]), three()),
        of(with(convolution(), "pads", &[-1, 0, 0, 0]), three()),
        of(with(convolution(), "pads", &[0, 0, 3, 0]), three()),
        of(with(convolution(), "group", &[2]), three()),
        of(convolution(), tensor("w", &[2, 2, 3, 1], &[0.0; 12])),
        of(convolution(), tensor("w", &[2, 2, 3, 3], &[0.0; 35])),
        of(
            convolution(),
            tensor("w", &[0, 1 << 40, 1 << 40, 1 << 40], &[]),
        ),
        of(
            convolution(),
            tensor("w", &[1 << 40, 1 << 40, 3, 3], &[0.0; 36]),
        ),
        of(node("PRelu", &["in", "w"], "out"), three()),
        of(node("Conv", &["nowhere", "w"], "out"), three()),
        of(node("Conv", &["in"], "out"), three()),
        of(node("Relu", &["in"], "out"), three()),
        of(node("Conv", &["in", "w"], "elsewhere"), three()),
    ];
    for (nth, result) in foreign.iter().enumerate() {
        assert!(result.is_err(), "{nth}");
    }
}
