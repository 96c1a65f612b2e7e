//! Networks of every shape compute what the definitions of their operations say, whatever was fused, packed or cut into
//! strips. The definitions are written out here, one loop for each letter of the formula.

use lifesign_conv::{Graph, GraphError, InputError, Network, Value, Window};
use proptest::prelude::*;

/// A plane for each channel.
#[derive(Debug, Clone, PartialEq)]
struct Planes {
    channels: usize,
    height: usize,
    width: usize,
    values: Vec<f32>,
}

impl Planes {
    fn new(channels: usize, height: usize, width: usize) -> Self {
        let values = vec![0.0; channels * height * width];
        Planes {
            channels,
            height,
            width,
            values,
        }
    }

    /// Values of no pattern between -1 and 1.
    fn noise(channels: usize, height: usize, width: usize, seed: u32) -> Self {
        let mut planes = Planes::new(channels, height, width);
        planes.values = noise(planes.values.len(), seed);
        planes
    }

    /// Zero beyond the edges.
    fn at(&self, channel: usize, y: isize, x: isize) -> f32 {
        match (usize::try_from(y), usize::try_from(x)) {
            (Ok(y), Ok(x)) if y < self.height && x < self.width => {
                self.values[(channel * self.height + y) * self.width + x]
            }
            _ => 0.0,
        }
    }

    fn each(&self, of: impl Fn(f32) -> f32) -> Planes {
        let mut result = self.clone();
        result
            .values
            .iter_mut()
            .for_each(|value| *value = of(*value));
        result
    }

    fn plus(&self, other: &Planes) -> Planes {
        let mut result = self.clone();
        for (value, other) in result.values.iter_mut().zip(&other.values) {
            *value += other;
        }
        result
    }

    fn convolution(&self, window: Window, weights: &[f32], bias: &[f32], depthwise: bool) -> Self {
        let Window { side, stride, pads } = window;
        let [above, left, below, right] = pads;
        let height = (self.height + above + below - side) / stride + 1;
        let width = (self.width + left + right - side) / stride + 1;
        let mut result = Planes::new(bias.len(), height, width);
        let inputs = if depthwise { 1 } else { self.channels };
        for output in 0..bias.len() {
            for (y, x) in pixels(height, width) {
                let mut sum = f64::from(bias[output]);
                for input in 0..inputs {
                    for (ky, kx) in pixels(side, side) {
                        let channel = if depthwise { output } else { input };
                        let y = (y * stride + ky) as isize - above as isize;
                        let x = (x * stride + kx) as isize - left as isize;
                        let weight = weights[((output * inputs + input) * side + ky) * side + kx];
                        sum += f64::from(weight) * f64::from(self.at(channel, y, x));
                    }
                }
                result.values[(output * height + y) * width + x] = sum as f32;
            }
        }
        result
    }

    fn doubling(&self, weights: &[f32], bias: &[f32]) -> Self {
        let (height, width) = (2 * self.height, 2 * self.width);
        let mut result = Planes::new(bias.len(), height, width);
        for output in 0..bias.len() {
            for (y, x) in pixels(height, width) {
                let mut sum = f64::from(bias[output]);
                for input in 0..self.channels {
                    let place = y % 2 * 2 + x % 2;
                    let weight = weights[(input * bias.len() + output) * 4 + place];
                    let value = self.at(input, (y / 2) as isize, (x / 2) as isize);
                    sum += f64::from(weight) * f64::from(value);
                }
                result.values[(output * height + y) * width + x] = sum as f32;
            }
        }
        result
    }
}

fn pixels(height: usize, width: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..height).flat_map(move |y| (0..width).map(move |x| (y, x)))
}

fn noise(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn run(graph: Graph, outputs: &[Value], input: &Planes) -> Vec<Planes> {
    let network = Network::new(graph, outputs).unwrap();
    let run = || {
        network
            .run(&input.values, input.height, input.width)
            .unwrap()
    };
    let maps = run();
    // In memory that was used before, the same.
    assert_eq!(maps, run());
    let planes = maps.into_iter().map(|map| Planes {
        channels: map.channels,
        height: map.height,
        width: map.width,
        values: map.planes,
    });
    planes.collect()
}

fn assert_same(found: &Planes, expected: &Planes) {
    let shape = |planes: &Planes| (planes.channels, planes.height, planes.width);
    assert_eq!(shape(found), shape(expected));
    for (nth, (found, expected)) in found.values.iter().zip(&expected.values).enumerate() {
        let near = 1e-4 * expected.abs().max(1.0);
        assert!(
            (found - expected).abs() < near,
            "{nth}: {found} is not {expected}"
        );
    }
}

fn relu6(value: f32) -> f32 {
    value.clamp(0.0, 6.0)
}

/// Kernel, stride and pads of a depthwise convolution as networks have them.
fn windows() -> impl Strategy<Value = Window> {
    let sides = prop_oneof![Just(3usize), Just(5)];
    (sides, 1usize..=2).prop_flat_map(|(side, stride)| {
        let pads = proptest::array::uniform4(0..side);
        pads.prop_map(move |pads| Window { side, stride, pads })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_convolution_of_all_channels(
        channels in 1usize..40,
        outputs in 1usize..120,
        (height, width) in (5usize..12, 5usize..20),
        side in 1usize..=4,
        stride in 1usize..=3,
        padded in any::<bool>(),
        seed in any::<u32>(),
    ) {
        let pads = if padded { [side / 2, (side - 1) / 2, side / 2, side - 1] } else { [0; 4] };
        let window = Window { side, stride, pads };
        let input = Planes::noise(channels, height, width, seed);
        let weights = noise(outputs * channels * side * side, seed ^ 1);
        let bias = noise(outputs, seed ^ 2);
        let mut graph = Graph::new(channels);
        let out = graph.convolution(graph.input(), window, weights.clone(), bias.clone()).unwrap();
        let found = run(graph, &[out], &input);
        assert_same(&found[0], &input.convolution(window, &weights, &bias, false));
    }

    #[test]
    fn a_block_with_whatever_is_fused_into_it(
        channels in 1usize..20,
        wide in 1usize..70,
        (height, width) in (5usize..20, 5usize..20),
        window in windows(),
        expands in any::<bool>(),
        seed in any::<u32>(),
    ) {
        let input = Planes::noise(3, height, width, seed);
        let mut graph = Graph::new(3);
        let mut parts = Vec::new();
        let mut part = |outputs: usize, per_output: usize| {
            let nth = parts.len() as u32;
            parts.push((noise(outputs * per_output, seed ^ nth), noise(outputs, seed ^ nth ^ 77)));
            parts[nth as usize].clone()
        };
        // The stem.
        let (weights, bias) = part(channels, 3);
        let stem = graph.convolution(graph.input(), Window::POINT, weights.clone(), bias.clone()).unwrap();
        let stem_reference = input.convolution(Window::POINT, &weights, &bias, false);
        let (mut at, mut reference, mut inner) = (stem, stem_reference.clone(), channels);
        if expands {
            let (weights, bias) = part(wide, channels);
            at = graph.convolution(at, Window::POINT, weights.clone(), bias.clone()).unwrap();
            at = graph.clamp(at, 0.0, 6.0);
            reference = reference.convolution(Window::POINT, &weights, &bias, false).each(relu6);
            inner = wide;
        }
        let (weights, bias) = part(inner, window.side * window.side);
        at = graph.depthwise(at, window, weights.clone(), bias.clone()).unwrap();
        at = graph.clamp(at, 0.0, 6.0);
        reference = reference.convolution(window, &weights, &bias, true).each(relu6);
        let (weights, bias) = part(channels, inner);
        at = graph.convolution(at, Window::POINT, weights.clone(), bias.clone()).unwrap();
        reference = reference.convolution(Window::POINT, &weights, &bias, false);
        if (reference.height, reference.width) == (height, width) {
            at = graph.sum(stem, at).unwrap();
            reference = reference.plus(&stem_reference);
        }
        let found = run(graph, &[at], &input);
        assert_same(&found[0], &reference);
    }

    #[test]
    fn doubling_normalised_and_summed(
        (channels, outputs) in (1usize..40, 1usize..40),
        (height, width) in (1usize..8, 1usize..8),
        seed in any::<u32>(),
    ) {
        let input = Planes::noise(channels, height, width, seed);
        let mut graph = Graph::new(channels);
        let first = noise(channels * channels, seed ^ 1);
        let zeros = vec![0.0; channels];
        let stem = graph.convolution(graph.input(), Window::POINT, first.clone(), zeros.clone()).unwrap();
        let weights = noise(channels * outputs * 4, seed ^ 2);
        let bias = noise(outputs, seed ^ 3);
        let (scale, shift) = (noise(outputs, seed ^ 4), noise(outputs, seed ^ 5));
        let doubled = graph.doubling(stem, weights.clone(), bias.clone()).unwrap();
        let scaled = graph.scale(doubled, scale.clone(), shift.clone()).unwrap();
        let clamped = graph.clamp(scaled, 0.0, f32::INFINITY);
        let sum = graph.sum(clamped, clamped).unwrap();
        let mean = graph.mean(sum);
        let sigmoid = graph.sigmoid(sum);
        let found = run(graph, &[clamped, sum, mean, sigmoid], &input);

        let mut expected = input.convolution(Window::POINT, &first, &zeros, false).doubling(&weights, &bias);
        let plane = 4 * height * width;
        for (nth, value) in expected.values.iter_mut().enumerate() {
            *value = (*value * scale[nth / plane] + shift[nth / plane]).max(0.0);
        }
        assert_same(&found[0], &expected);
        let twice = expected.plus(&expected);
        assert_same(&found[1], &twice);
        let mut means = Planes::new(outputs, 1, 1);
        for (mean, plane_of) in means.values.iter_mut().zip(twice.values.chunks(plane)) {
            *mean = plane_of.iter().sum::<f32>() / plane as f32;
        }
        assert_same(&found[2], &means);
        assert_same(&found[3], &twice.each(|value| 1.0 / (1.0 + (-value).exp())));
    }
}

#[test]
fn a_block_too_large_for_the_cache_is_computed_in_strips_that_meet() {
    for (side, stride) in [(3, 1), (3, 2), (5, 1), (5, 2)] {
        let pads = [side / 2, side / 2, side / 2, side / 2];
        let window = Window { side, stride, pads };
        let (height, width, wide) = (90, 60, 64);
        let input = Planes::noise(3, height, width, 5);
        let expand = (noise(wide * 3, 1), noise(wide, 2));
        let kernel = (noise(wide * side * side, 3), noise(wide, 4));
        let project = (noise(3 * wide, 6), noise(3, 7));
        let mut graph = Graph::new(3);
        let stem = (noise(9, 8), noise(3, 9));
        let at = graph.convolution(graph.input(), Window::POINT, stem.0.clone(), stem.1.clone());
        let at = graph.convolution(
            at.unwrap(),
            Window::POINT,
            expand.0.clone(),
            expand.1.clone(),
        );
        let at = graph.depthwise(at.unwrap(), window, kernel.0.clone(), kernel.1.clone());
        let at = graph.convolution(
            at.unwrap(),
            Window::POINT,
            project.0.clone(),
            project.1.clone(),
        );
        let found = run(graph, &[at.unwrap()], &input);
        let expected = input
            .convolution(Window::POINT, &stem.0, &stem.1, false)
            .convolution(Window::POINT, &expand.0, &expand.1, false)
            .convolution(window, &kernel.0, &kernel.1, true)
            .convolution(Window::POINT, &project.0, &project.1, false);
        assert_same(&found[0], &expected);
    }
}

#[test]
fn what_is_read_twice_is_not_fused_away() {
    let mut graph = Graph::new(1);
    let stem = graph
        .convolution(graph.input(), Window::POINT, vec![-2.0], vec![0.0])
        .unwrap();
    let clamped = graph.clamp(stem, 0.0, 6.0);
    let sum = graph.sum(stem, clamped).unwrap();
    let network = Network::new(graph, &[sum, stem]).unwrap();
    let outputs = network.run(&[1.0, -1.0], 1, 2).unwrap();
    assert_eq!(outputs[0].planes, [-2.0, 4.0]);
    assert_eq!(outputs[1].planes, [-2.0, 2.0]);
}

#[test]
fn weights_that_do_not_fit_are_an_error() {
    let mut graph = Graph::new(3);
    let input = graph.input();
    let window = |side, stride, pad| Window {
        side,
        stride,
        pads: [pad; 4],
    };
    let few = graph.convolution(input, window(1, 1, 0), vec![0.0; 5], vec![0.0; 2]);
    let expected = GraphError::Mismatch {
        what: "the weights",
        found: 5,
        expected: 6,
    };
    assert_eq!(few, Err(expected));
    for (side, stride, pad) in [(7, 1, 0), (3, 3, 0), (3, 0, 0), (0, 1, 0), (3, 1, 3)] {
        let weights = vec![0.0; 3 * side * side];
        let kernel = graph.depthwise(input, window(side, stride, pad), weights, vec![0.0; 3]);
        assert!(
            matches!(kernel, Err(GraphError::Unsupported(_))),
            "{side} {stride} {pad}"
        );
    }
    assert!(graph.doubling(input, vec![0.0; 5], vec![0.0]).is_err());
    assert!(graph.scale(input, vec![0.0; 2], vec![0.0; 3]).is_err());
}

#[test]
fn nothing_is_no_network() {
    let mut graph = Graph::new(1);
    let input = graph.input();
    assert!(
        graph
            .convolution(input, Window::POINT, vec![], vec![])
            .is_err()
    );
    assert!(graph.doubling(input, vec![], vec![]).is_err());
    let mut graph = Graph::new(0);
    let out = graph.convolution(graph.input(), Window::POINT, vec![], vec![1.0]);
    assert!(Network::new(graph, &[out.unwrap()]).is_err());
    // Zeros all around, and nothing within.
    let mut graph = Graph::new(1);
    let window = Window {
        side: 3,
        stride: 1,
        pads: [2; 4],
    };
    let out = graph.convolution(graph.input(), window, vec![1.0; 9], vec![1.0]);
    let network = Network::new(graph, &[out.unwrap()]).unwrap();
    assert!(network.run(&[], 0, 7).is_err());
    assert!(network.run(&[], usize::MAX, usize::MAX).is_err());
    assert!(network.fit(usize::MAX, usize::MAX).is_err());
}

#[test]
fn what_cannot_read_the_input_is_an_error() {
    let mut graph = Graph::new(3);
    let clamped = graph.clamp(graph.input(), 0.0, 1.0);
    assert!(Network::new(graph, &[clamped]).is_err());
    let graph = Graph::new(3);
    let input = graph.input();
    assert!(Network::new(graph, &[input]).is_err());
}

#[test]
fn an_input_that_does_not_fit_is_an_error() {
    let mut graph = Graph::new(1);
    let window = Window {
        side: 3,
        stride: 1,
        pads: [0; 4],
    };
    let out = graph
        .convolution(graph.input(), window, vec![0.0; 9], vec![0.0])
        .unwrap();
    let network = Network::new(graph, &[out]).unwrap();
    let length = InputError::Length {
        found: 8,
        expected: 9,
    };
    assert_eq!(network.run(&[0.0; 8], 3, 3), Err(length));
    let size = InputError::Size {
        width: 2,
        height: 4,
    };
    assert_eq!(network.run(&[0.0; 8], 4, 2), Err(size.clone()));
    assert_eq!(network.fit(4, 2), Err(size));
    assert_eq!(network.fit(3, 3), Ok(()));
    assert!(network.fit(0, 0).is_err());
}
