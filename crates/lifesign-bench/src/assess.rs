//! One assessment in this process, on one thread: the stages, the whole, the floor in the same rounds, and how the
//! cost grows with the picture.

use std::fmt;
use std::time::Duration;

#[cfg(feature = "floor")]
use anyhow::Context;
use anyhow::ensure;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use clap::Args;
#[cfg(feature = "floor")]
use image::RgbImage;
use lifesign::{AssessOptions, Engine, EngineConfig, Stage};
use lifesign_server::dialects::Dialect as _;
use lifesign_server::dialects::verifik::Verifik;
use lifesign_server::image_source::ImageSource;
use serde::Serialize;

use crate::stats::{Spread, line, ms};
use crate::{clock, pictures};

/// What may be sent: far more than is.
const MAX_BYTES: usize = 64 << 20;

/// `assess`
#[derive(Args)]
pub struct AssessArgs {
    /// How often each picture is assessed, all pictures in turn
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// Measure the face as well, as answers with extensions do
    #[arg(long)]
    quality: bool,
    /// Only the picture of this name, such as 640x480
    #[arg(long)]
    only: Option<String>,
    /// Leave the floor out: for a profiler
    #[arg(long)]
    no_floor: bool,
}

/// `growth`
#[derive(Args)]
pub struct GrowthArgs {
    /// How often each size is assessed, all sizes in turn
    #[arg(long, default_value_t = 15)]
    rounds: usize,
}

/// A photograph to assess.
pub struct Subject {
    pub name: String,
    megapixels: f64,
    bytes: Vec<u8>,
    /// A request with it.
    pub body: Vec<u8>,
}

impl Subject {
    pub fn new(name: impl Into<String>, (width, height): (u32, u32), bytes: Vec<u8>) -> Subject {
        Subject {
            name: name.into(),
            megapixels: f64::from(width) * f64::from(height) / 1e6,
            body: request(&bytes),
            bytes,
        }
    }
}

/// A request's body with a photograph.
pub fn request(photograph: &[u8]) -> Vec<u8> {
    let image = BASE64_STANDARD.encode(photograph);
    serde_json::json!({ "os": "DESKTOP", "image": image })
        .to_string()
        .into_bytes()
}

/// A JPEG of a size: as a camera writes it where libjpeg-turbo is there to write it.
pub fn jpeg(width: u32, height: u32) -> anyhow::Result<Vec<u8>> {
    let picture = pictures::draw(width, height);
    #[cfg(feature = "floor")]
    return crate::floor::camera_jpeg(&picture, false);
    #[cfg(not(feature = "floor"))]
    Ok(pictures::jpeg(&picture))
}

const LARGE: (u32, u32) = (4000, 3000);

/// Sizes that are measured everywhere.
pub const SIZES: [(&str, (u32, u32)); 3] = [
    ("640x480", (640, 480)),
    ("2 MP", (1920, 1080)),
    ("12 MP", LARGE),
];

/// What is measured, or of it the one that is `wanted`; what is not is not drawn.
fn subjects(wanted: Option<&str>) -> anyhow::Result<Vec<Subject>> {
    let is_wanted = |name: &str| wanted.is_none_or(|wanted| wanted == name);
    let mut subjects = Vec::new();
    for (name, size) in SIZES.into_iter().filter(|(name, _)| is_wanted(name)) {
        subjects.push(Subject::new(name, size, jpeg(size.0, size.1)?));
    }
    #[cfg(feature = "floor")]
    {
        type Encode = fn(&RgbImage) -> anyhow::Result<Vec<u8>>;
        let encoders: [(&str, Encode); 3] = [
            ("12 MP progressive", |picture| {
                crate::floor::camera_jpeg(picture, true)
            }),
            ("12 MP 4:4:4", |picture| Ok(pictures::jpeg(picture))),
            ("12 MP WebP", |picture| Ok(crate::floor::webp(picture))),
        ];
        for (name, encode) in encoders.into_iter().filter(|(name, _)| is_wanted(name)) {
            let bytes = encode(&pictures::draw(LARGE.0, LARGE.1))?;
            subjects.push(Subject::new(name, LARGE, bytes));
        }
    }
    ensure!(
        !subjects.is_empty(),
        "there is no such picture in this build"
    );
    Ok(subjects)
}

const STAGES: [&str; 5] = ["body", "decode", "detect", "quality", "score"];

/// Processor time of each of [`STAGES`], and of all.
#[derive(Default, Clone, Copy)]
pub struct Cost {
    stages: [Duration; STAGES.len()],
    pub whole: Duration,
    raw: f64,
}

impl Cost {
    /// Of JSON and base64.
    pub fn body(&self) -> Duration {
        self.stages[0]
    }
}

/// Our own way, from a request's body on.
pub fn ours(engine: &Engine, subject: &Subject, quality: bool) -> anyhow::Result<Cost> {
    let started = clock::thread();
    let request = Verifik::parse(lifesign_server::json::parse(&subject.body)?)?;
    let source = ImageSource::parse(&request.image, MAX_BYTES);
    let Ok(ImageSource::Bytes(photograph)) = source else {
        anyhow::bail!("the photograph was not read");
    };
    let mut cost = Cost::default();
    let mut last = clock::thread();
    cost.stages[0] = last - started;
    let options = AssessOptions {
        quality,
        ..AssessOptions::default()
    };
    let assessment = engine.assess_observed(&photograph, &options, &mut |stage, _| {
        let now = clock::thread();
        let at = match stage {
            Stage::Decode => 1,
            Stage::Detect => 2,
            Stage::Quality => 3,
            Stage::Score => 4,
        };
        cost.stages[at] = now - last;
        last = now;
    })?;
    drop(photograph);
    cost.whole = clock::thread() - started;
    cost.raw = assessment.raw;
    Ok(cost)
}

#[cfg(feature = "floor")]
fn floors(floor: &crate::floor::Floor, subject: &Subject) -> anyhow::Result<Cost> {
    let mut cost = Cost::default();
    let (photograph, body) = clock::timed(|| crate::floor::photograph(&subject.body));
    let photograph = photograph?;
    let (picture, decode) = clock::timed(|| crate::floor::decode(&photograph, floor.room.take()));
    let picture = picture?;
    let (faces, detect) = clock::timed(|| floor.faces(&picture));
    let faces = faces?;
    let face = faces.first().context("the floor finds no face")?;
    let crops = floor.crops(&picture, face)?;
    let (raw, score) = clock::timed(|| floor.score(&crops));
    cost.stages = [body, decode, detect, Duration::ZERO, score];
    cost.whole = body + decode + detect + score;
    cost.raw = raw?;
    floor.room.set(picture.into_raw());
    Ok(cost)
}

/// What the floor is measured with, where it is.
struct Yardstick {
    #[cfg(feature = "floor")]
    floor: crate::floor::Floor,
}

impl Yardstick {
    #[cfg(feature = "floor")]
    fn load() -> anyhow::Result<Option<Yardstick>> {
        Ok(Some(Yardstick {
            floor: crate::floor::Floor::load()?,
        }))
    }

    #[cfg(not(feature = "floor"))]
    fn load() -> anyhow::Result<Option<Yardstick>> {
        Ok(None)
    }

    #[cfg(feature = "floor")]
    fn cost(&self, subject: &Subject) -> anyhow::Result<Cost> {
        floors(&self.floor, subject)
    }

    #[cfg(not(feature = "floor"))]
    fn cost(&self, _: &Subject) -> anyhow::Result<Cost> {
        unreachable!("none is loaded")
    }

    /// That the same picture gets the same face, and the same face the same raw score.
    fn check(&self, engine: &Engine) -> anyhow::Result<()> {
        #[cfg(feature = "floor")]
        for name in [
            "live_portrait.jpg",
            "spoof_screen.jpg",
            "strict_portrait.jpg",
        ] {
            let images = crate::floor::models().join("../tests/images");
            let bytes = std::fs::read(images.join(name))?;
            let ours = engine.assess(&bytes, &AssessOptions::default())?;
            let picture = lifesign::decode::decode(&bytes, &lifesign::Limits::default())?;
            let faces = self.floor.faces(&picture)?;
            let face = faces.first().context("the floor finds no face")?;
            let same = face.rect.iou(&ours.face.rect);
            ensure!(
                same > 0.999,
                "{name}: ours {:?}, the floor's {face:?}",
                ours.face
            );
            // Of our own box: one that is a thousandth of a pixel further left rounds other pixels up.
            let raw = self.floor.score(&self.floor.crops(&picture, &ours.face)?)?;
            let apart = (raw - ours.raw).abs();
            ensure!(apart < 1e-3, "{name}: ours {}, the floor's {raw}", ours.raw);
        }
        #[cfg(not(feature = "floor"))]
        ensure!(engine.models().len() == 2);
        Ok(())
    }
}

/// What `assess` found.
#[derive(Serialize)]
pub struct Assessed {
    rounds: usize,
    pictures: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    picture: String,
    megapixels: f64,
    kilobytes: f64,
    /// Ours to the floor, round by round.
    ratio: Option<Spread>,
    /// Ours to the floor's, of the medians.
    stage_ratios: Option<Vec<(&'static str, f64)>>,
    /// Processor milliseconds, medians.
    ours: Vec<(&'static str, f64)>,
    ours_whole: Spread,
    floor: Option<Vec<(&'static str, f64)>>,
    floor_whole: Option<Spread>,
    raw: f64,
    floor_raw: Option<f64>,
}

fn stage_medians(costs: &[Cost]) -> Vec<(&'static str, f64)> {
    let median = |at: usize| Spread::of(costs.iter().map(|cost| ms(cost.stages[at]))).median;
    STAGES
        .iter()
        .enumerate()
        .map(|(at, &stage)| (stage, median(at)))
        .collect()
}

fn whole(costs: &[Cost]) -> Spread {
    Spread::of(costs.iter().map(|cost| ms(cost.whole)))
}

impl Row {
    fn new(subject: &Subject, ours: &[Cost], floor: &[Cost]) -> Row {
        let pairs = ours.iter().zip(floor);
        let ratios = pairs.map(|(ours, floor)| ms(ours.whole) / ms(floor.whole));
        let (stages, floors) = (stage_medians(ours), stage_medians(floor));
        let stage_ratios = stages
            .iter()
            .zip(&floors)
            .filter(|(_, floor)| floor.1 > 0.0);
        let stage_ratios = stage_ratios.map(|(ours, floor)| (ours.0, ours.1 / floor.1));
        let there = !floor.is_empty();
        Row {
            picture: subject.name.clone(),
            megapixels: subject.megapixels,
            kilobytes: subject.bytes.len() as f64 / 1e3,
            ratio: there.then(|| Spread::of(ratios)),
            stage_ratios: there.then(|| stage_ratios.collect()),
            ours_whole: whole(ours),
            ours: stages,
            floor_whole: there.then(|| whole(floor)),
            floor: there.then_some(floors),
            raw: ours[0].raw,
            floor_raw: floor.first().map(|cost| cost.raw),
        }
    }
}

/// Runs `assess`.
pub fn assess(args: &AssessArgs) -> anyhow::Result<Assessed> {
    let engine = Engine::load(&EngineConfig::default())?;
    let yardstick = if args.no_floor {
        None
    } else {
        Yardstick::load()?
    };
    if let Some(yardstick) = &yardstick {
        yardstick.check(&engine)?;
    }
    let subjects = subjects(args.only.as_deref())?;
    let mut costs = vec![(Vec::new(), Vec::new()); subjects.len()];
    // One more, which is not counted: plans, caches and the allocator get warm.
    for round in 0..=args.rounds {
        for (subject, (ours_costs, floor_costs)) in subjects.iter().zip(&mut costs) {
            // Now the one first, now the other, so that neither always finds the caches warm.
            for turn in 0..2 {
                if (turn + round) % 2 == 0 {
                    ours_costs.push(ours(&engine, subject, args.quality)?);
                } else if let Some(yardstick) = &yardstick {
                    floor_costs.push(yardstick.cost(subject)?);
                }
            }
        }
    }
    let rows = subjects.iter().zip(&costs);
    let rows = rows.map(|(subject, (ours, floor))| {
        Row::new(subject, &ours[1..], floor.get(1..).unwrap_or_default())
    });
    Ok(Assessed {
        rounds: args.rounds,
        pictures: rows.collect(),
    })
}

impl fmt::Display for Assessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Ratios of processor time to the floor's, one thread, {} rounds:\n",
            self.rounds
        )?;
        writeln!(
            f,
            "| picture | whole | quartiles | body | decode | detect | score |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for row in &self.pictures {
            let (Some(ratio), Some(stages)) = (row.ratio, &row.stage_ratios) else {
                writeln!(f, "| {} | no floor in this build | | | | | |", row.picture)?;
                continue;
            };
            let stages: Vec<String> = stages.iter().map(|(_, r)| format!("{r:.2}")).collect();
            let (lower, upper) = (ratio.lower, ratio.upper);
            let stages = stages.join(" | ");
            writeln!(
                f,
                "| {} | **{:.2}** | {lower:.2} to {upper:.2} | {stages} |",
                row.picture, ratio.median
            )?;
        }
        writeln!(f, "\nProcessor milliseconds, medians:\n")?;
        writeln!(
            f,
            "| picture | KB | whose | {} | whole | quartiles | raw score |",
            STAGES.join(" | ")
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|---|---|")?;
        for row in &self.pictures {
            let mut line = |whose, stages: &[(&str, f64)], whole: Spread, raw: f64| {
                let stages: Vec<String> = stages.iter().map(|(_, ms)| format!("{ms:.2}")).collect();
                let Spread {
                    lower,
                    median,
                    upper,
                } = whole;
                let stages = stages.join(" | ");
                let (picture, kilobytes) = (&row.picture, row.kilobytes);
                writeln!(
                    f,
                    "| {picture} | {kilobytes:.0} | {whose} | {stages} | {median:.1} | {lower:.1} to {upper:.1} | {raw:.3} |"
                )
            };
            line("ours", &row.ours, row.ours_whole, row.raw)?;
            if let (Some(stages), Some(whole), Some(raw)) =
                (&row.floor, row.floor_whole, row.floor_raw)
            {
                line("floor", stages, whole, raw)?;
            }
        }
        Ok(())
    }
}

/// What `growth` found.
#[derive(Serialize)]
pub struct Growth {
    sizes: Vec<Grown>,
    /// Milliseconds of a picture without pixels, and for each million of them, by least squares.
    at_0: f64,
    each_megapixel: f64,
    /// How far the furthest size is from that line, as a share.
    furthest: f64,
}

#[derive(Serialize)]
struct Grown {
    megapixels: f64,
    decode: f64,
    detect: f64,
    score: f64,
    whole: f64,
}

/// Runs `growth`.
pub fn growth(args: &GrowthArgs) -> anyhow::Result<Growth> {
    let engine = Engine::load(&EngineConfig::default())?;
    let sizes = [
        (640, 480),
        (1152, 864),
        (1632, 1224),
        (2304, 1728),
        (3264, 2448),
        LARGE,
    ];
    let subjects: anyhow::Result<Vec<Subject>> = sizes
        .into_iter()
        .map(|(width, height)| Ok(Subject::new("", (width, height), jpeg(width, height)?)))
        .collect();
    let subjects = subjects?;
    let mut costs = vec![Vec::new(); subjects.len()];
    for _ in 0..=args.rounds {
        for (subject, costs) in subjects.iter().zip(&mut costs) {
            costs.push(ours(&engine, subject, false)?);
        }
    }
    let rows = subjects.iter().zip(&costs).map(|(subject, costs)| {
        let stages = stage_medians(&costs[1..]);
        Grown {
            megapixels: subject.megapixels,
            decode: stages[1].1,
            detect: stages[2].1,
            score: stages[4].1,
            whole: whole(&costs[1..]).median,
        }
    });
    let sizes: Vec<Grown> = rows.collect();
    let points: Vec<(f64, f64)> = sizes
        .iter()
        .map(|size| (size.megapixels, size.whole))
        .collect();
    let (at_0, each_megapixel) = line(&points);
    let apart = points
        .iter()
        .map(|(x, y)| (y / (at_0 + each_megapixel * x) - 1.0).abs());
    let furthest = apart.fold(0.0, f64::max);
    Ok(Growth {
        sizes,
        at_0,
        each_megapixel,
        furthest,
    })
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at_0, each, furthest) = (self.at_0, self.each_megapixel, 100.0 * self.furthest);
        writeln!(
            f,
            "{at_0:.1} ms and {each:.2} ms for each megapixel; the furthest size is {furthest:.0} % off that line.\n"
        )?;
        writeln!(
            f,
            "| megapixels | decode | detect | score | whole, ms |\n|---|---|---|---|---|"
        )?;
        for Grown {
            megapixels,
            decode,
            detect,
            score,
            whole,
        } in &self.sizes
        {
            writeln!(
                f,
                "| {megapixels:.1} | {decode:.1} | {detect:.1} | {score:.1} | {whole:.1} |"
            )?;
        }
        Ok(())
    }
}
