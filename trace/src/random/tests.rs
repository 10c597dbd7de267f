use rand::Rng;

use super::*;

fn first(key: StreamKey, unit: u32) -> [u64; 3] {
    let mut rng = key.unit(unit);
    [rng.next_u64(), rng.next_u64(), rng.next_u64()]
}

/// Pins the draws: a change here changes every plan, and needs a note in the changelog.
#[test]
fn gives_these_draws_for_ever() {
    let key = |seed, id, purpose| StreamKey::new(seed, id, purpose);
    let table = [
        (
            key(42, "f", Purpose::Arrivals),
            0,
            [9_451_669_139_197_570_026, 10_953_138_438_719_478_538, 4_673_991_713_430_025_298],
        ),
        (
            key(42, "f", Purpose::Arrivals),
            1,
            [1_478_430_526_840_519_434, 8_478_273_844_260_589_404, 8_436_281_287_240_913_719],
        ),
        (
            key(42, "f", Purpose::Runtime),
            0,
            [4_589_242_570_790_101_269, 782_779_307_185_726_267, 10_619_976_600_689_673_193],
        ),
        (
            key(42, "f", Purpose::Memory),
            0,
            [17_512_305_784_114_498_578, 16_578_496_671_861_935_662, 5_471_565_840_222_403_040],
        ),
        (
            key(42, "f", Purpose::Synthesis),
            u32::MAX,
            [16_702_532_593_537_050_110, 17_701_818_774_294_789_591, 6_637_234_694_137_945_847],
        ),
        (
            key(43, "g", Purpose::Arrivals),
            0,
            [16_013_019_054_332_364_146, 15_822_426_914_224_089_802, 2_430_258_197_055_465_396],
        ),
    ];
    assert_eq!(table.map(|(key, unit, _)| first(key, unit)), table.map(|(.., draws)| draws));
}

#[test]
fn seed_function_purpose_and_unit_each_make_another_stream() {
    let base = first(StreamKey::new(1, "f", Purpose::Arrivals), 7);
    let others = [
        first(StreamKey::new(2, "f", Purpose::Arrivals), 7),
        first(StreamKey::new(1, "g", Purpose::Arrivals), 7),
        first(StreamKey::new(1, "f", Purpose::Runtime), 7),
        first(StreamKey::new(1, "f", Purpose::Arrivals), 8),
    ];
    for other in others {
        assert!(base.iter().zip(other).all(|(&a, b)| a != b), "{base:?} {other:?}");
    }
}

#[test]
fn a_unit_begins_where_its_words_begin() {
    let key = StreamKey::new(5, "f", Purpose::Memory);
    let mut rng = key.unit(0);
    rng.0.set_word_pos(1 << StreamKey::UNIT_WORDS_LOG2);
    assert_eq!(rng.next_u64(), first(key, 1)[0]);
    assert_eq!(key.unit(u32::MAX).0.get_word_pos(), u128::from(u32::MAX) << StreamKey::UNIT_WORDS_LOG2);
}

#[test]
fn a_draw_takes_two_words() {
    let mut rng = StreamKey::new(5, "f", Purpose::Memory).unit(3);
    let before = rng.0.get_word_pos();
    for _ in 0..100 {
        rng.open01();
    }
    assert_eq!(rng.0.get_word_pos() - before, 200);
}
