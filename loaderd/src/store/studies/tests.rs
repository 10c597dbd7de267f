use loader_proto::{json, v1};

use super::*;
use crate::{clock::UnixMicros, control::WireCodec, id::RunId, spec::Defaults, store::StudyState, study::Attempt};

fn opened(state: &Path) -> StudyStore {
    StudyStore::open(state, Arc::new(WireCodec { defaults: Defaults { platform: "local".to_owned() } })).expect("opens")
}

fn created(store: &StudyStore, millis: i64) -> StudyFile {
    let (message, _) =
        json::from_yaml::<v1::StudySpec>("base: { burst: {} }\nvary: [{ field: seed, values: [1, 2] }]\n");
    let study = store.codec().read_study(&json::to_yaml(&message)).expect("is a study");
    let plan = study.checked.clone().expect("is valid");
    let file = StudyFile::new(StudyId::new(millis, 7), &plan, UnixMicros(millis * 1000), "ann");
    store.create(&file, &study).expect("creates");
    file
}

#[test]
fn saved_studies_are_loaded_oldest_first_and_a_removed_one_is_gone() {
    let state = tempfile::tempdir().expect("a directory");
    let store = opened(state.path());
    let (late, mut early) = (created(&store, 2_000), created(&store, 1_000));
    early.state = StudyState::Running;
    early.runs[0].attempts.push(Attempt::new(RunId::new(1, 1)));
    store.save(&early).expect("saves");
    assert_eq!(opened(state.path()).load().expect("loads"), [early.clone(), late.clone()]);
    assert_eq!(store.study(&late.study_id).expect("reads").uploads.len(), 0);
    store.remove(&early.study_id).expect("removes");
    assert_eq!(store.load().expect("loads"), [late]);
}

#[test]
fn what_is_no_study_is_left_alone_and_a_half_made_one_is_removed() {
    let state = tempfile::tempdir().expect("a directory");
    let store = opened(state.path());
    let kept = created(&store, 1_000);
    let newer = created(&store, 2_000);
    let path = store.directory(&newer.study_id).join("study.json");
    fs::write(&path, "{ \"version\": 2, \"shape\": \"new\" }").expect("writes");
    let linked = created(&store, 3_000);
    let link = store.directory(&linked.study_id).join("study.json");
    fs::rename(&link, state.path().join("elsewhere")).expect("moves");
    std::os::unix::fs::symlink(state.path().join("elsewhere"), &link).expect("links");
    let half = store.directory(&StudyId::new(4_000, 7));
    fs::create_dir(&half).expect("makes");
    fs::write(half.join("study.yaml"), "base: {}\n").expect("writes");
    assert_eq!(store.load().expect("loads"), [kept]);
    assert!(path.exists() && link.exists() && !half.exists());
}

#[test]
fn disk_space_is_reserved_until_a_study_has_ended() {
    let state = tempfile::tempdir().expect("a directory");
    let store = opened(state.path());
    let mut file = created(&store, 1_000);
    let reserve = store.directory(&file.study_id).join(".reserve");
    assert!(reserve.exists());
    file.state = StudyState::Failed;
    store.save(&file).expect("saves");
    assert!(!reserve.exists());
}
