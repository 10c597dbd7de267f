//! Study files, as texts and in folders.

use std::{fs, path::Path};

use loader_proto::{json::Fault, v1::StudySpec};

use super::*;

fn faults(text: &str, is_quick: bool) -> Vec<String> {
    let faults = StudyDraft::of(text, Path::new(""), is_quick).map(|_| ()).expect_err(text);
    faults.into_iter().map(|Fault { field, description }| format!("{field}: {description}")).collect()
}

fn study(text: &str, folder: &Path, is_quick: bool) -> (Vec<String>, StudySpec) {
    let draft = StudyDraft::of(text, folder, is_quick).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    let names: Vec<_> = draft.traces.all().iter().map(|trace| trace.name.clone()).collect();
    let ids: Vec<_> = names.iter().map(|name| format!("id of {name}")).collect();
    (names, draft.with_uploads(&ids))
}

#[test]
fn the_quick_form_replaces_fields_and_whole_lists_and_is_left_out_unless_it_is_wanted() {
    let text = "
base: { burst: { targetRps: 8, hold: 4m }, seed: 7 }
vary: [{ field: burst.burst, values: [1, 2, 3] }]
repeats: 10
quick: { base: { burst: { hold: 2s }, seed: null }, vary: [{ field: burst.burst, values: [1] }], repeats: 2 }
";
    let (_, full) = study(text, Path::new(""), false);
    assert_eq!((full.repeats, full.vary[0].values.len()), (Some(10), 3));
    let (_, quick) = study(text, Path::new(""), true);
    assert_eq!((quick.repeats, quick.vary[0].values.clone()), (Some(2), vec!["1".to_owned()]));
    let base = quick.base.expect("a base");
    let Some(loader_proto::v1::run_spec::Mode::Burst(burst)) = base.mode else { panic!("{:?}", base.mode) };
    assert_eq!((base.seed, burst.target_rps, burst.hold.map(|hold| hold.seconds)), (None, Some(8), Some(2)));
}

#[test]
fn a_stopping_rule_stands_in_the_place_of_repeats_and_gives_way_to_a_number() {
    let text = "
base: { burst: {} }
repeats: { until: { figure: response.p99, halfWidth: 10%, atMost: 40 } }
margin: 2%
quick: { repeats: 2 }
";
    let (_, full) = study(text, Path::new(""), false);
    let until = full.until.expect("a rule");
    assert_eq!(
        (full.repeats, until.figure.as_str(), until.half_width, until.at_most),
        (None, "response.p99", Some(0.1), Some(40))
    );
    assert_eq!(full.margin, Some(0.02));
    let (_, quick) = study(text, Path::new(""), true);
    assert_eq!((quick.repeats, quick.until), (Some(2), None));
}

#[test]
fn traces_of_this_machine_are_found_once_each_and_replaced_by_their_uploads() {
    let folder = tempfile::tempdir().expect("a directory");
    fs::create_dir(folder.path().join("samples[1]")).expect("is made");
    // What `trace sample` writes beside its samples is no trace.
    for name in ["b", "a", "report.json"] {
        fs::write(folder.path().join("samples[1]").join(name), "").expect("is written");
    }
    let text = "
base: { trace: { path: whole, duration: 2m } }
vary: [{ field: trace.path, glob: '*/*' }]
exclude: [{ trace.path: 'samples[1]/b' }]
baseline: { trace.path: 'samples[1]/a' }
";
    let (names, study) = study(text, folder.path(), false);
    assert_eq!(names, ["whole", "samples[1]/a", "samples[1]/b"]);
    assert_eq!(study.vary[0].field, "trace.upload");
    assert_eq!(study.vary[0].values, ["id of samples[1]/a", "id of samples[1]/b"]);
    assert_eq!((study.vary[0].label.as_str(), study.vary[0].labels.len()), ("trace.path", 2));
    assert_eq!(study.vary[0].labels, ["samples[1]/a", "samples[1]/b"]);
    // By what they are called.
    assert_eq!(study.exclude[0].cell["trace.path"], "samples[1]/b");
    assert_eq!(study.baseline["trace.path"], "samples[1]/a");
    let base = loader_proto::json::to_yaml(&study.base.expect("a base"));
    assert!(base.contains("upload: id of whole") && !base.contains("path"), "{base}");
}

#[test]
fn what_is_wrong_is_found_without_the_daemon() {
    for (text, is_quick, expected) in [
        ("base: {", false, "study: "),
        ("base: {}", true, "--quick: the study has no quick form: the file has no field quick"),
        ("quick: 3", false, "quick: must hold fields: those that it replaces"),
        ("vari: []", false, "vari: unknown field; did you mean vary?"),
        (
            "vary: [{ field: seed, glob: x }]",
            false,
            "vary[0].glob: belongs to an axis over trace.path; others have values",
        ),
        (
            "vary: [{ field: trace.path, glob: x, values: [] }]",
            false,
            "vary[0].glob: conflicts with values: set only one of them",
        ),
        ("vary: [{ field: trace.path, glob: 'no/such/*' }]", false, "vary[0].glob: nothing matches no/such/*"),
        ("vary: [{ field: trace.path, glob: '***' }]", false, "vary[0].glob: is no pattern: "),
        ("vary: [{ field: trace.path, glob: 3 }]", false, "vary[0].glob: must be text, such as \"samples/*\""),
        (
            "base: { trace: { path: x } }\nvary: [{ field: trace.size, values: [1, 2] }]",
            false,
            "vary[0].field: trace.size varies, but of a trace on this machine only",
        ),
        ("repeats: many", false, "repeats: must be a whole number, not \"many\""),
        ("[]", false, ": must hold fields, not a list"),
    ] {
        let found = faults(text, is_quick);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{text}: {found:?}");
    }
}
