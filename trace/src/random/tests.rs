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
            [7_004_240_045_786_189_748, 17_666_610_028_783_549_265, 6_993_343_185_079_373_727],
        ),
        (
            key(42, "f", Purpose::Arrivals),
            1,
            [10_462_352_924_147_392_422, 18_259_129_939_856_878_823, 9_000_299_164_396_535_325],
        ),
        (
            key(42, "f", Purpose::Runtime),
            0,
            [17_314_943_186_544_607_193, 16_295_989_692_565_995_292, 9_487_638_292_721_781_296],
        ),
        (
            key(42, "f", Purpose::Memory),
            0,
            [8_294_262_570_290_091_597, 1_542_898_032_725_363_988, 17_070_015_127_041_475_751],
        ),
        (
            key(42, "f", Purpose::Synthesis),
            u32::MAX,
            [5_355_811_269_011_857_943, 892_090_020_325_358_423, 15_846_965_928_774_368_135],
        ),
        (
            key(43, "g", Purpose::Arrivals),
            0,
            [11_445_901_343_741_479_938, 12_546_164_026_894_340_887, 1_445_384_986_560_661_843],
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
        first(StreamKey::new(1, "f", Purpose::Rounding), 7),
        first(StreamKey::new(1, "f", Purpose::Arrivals), 8),
    ];
    for other in others {
        assert!(base.iter().zip(other).all(|(&a, b)| a != b), "{base:?} {other:?}");
    }
}

/// The known answers that the authors' library Random123 is tested with.
#[test]
fn the_generator_is_the_published_one() {
    let max = u64::MAX;
    let pi = ([0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344], 0xa409_3822_299f_31d0);
    for ((counter, key), answer) in [
        (([0, 0], 0), [0xca00_a045_9843_d731, 0x66c2_4222_c9a8_45b5]),
        (([max, max], max), [0x65b0_21d6_0cd8_310f, 0x4d02_f322_2f86_df20]),
        (pi, [0x0a5e_742c_2997_341c, 0xb0f8_83d3_8000_de5d]),
    ] {
        assert_eq!(philox(counter, key), answer);
    }
}

#[test]
fn bytes_and_halves_are_those_of_the_draws() {
    let key = StreamKey::new(5, "f", Purpose::Memory);
    let draws = first(key, 3);
    let mut bytes = [0; 20];
    key.unit(3).fill_bytes(&mut bytes);
    let expected: Vec<u8> = draws.iter().flat_map(|draw| draw.to_le_bytes()).take(20).collect();
    assert_eq!(bytes.as_slice(), expected);
    assert_eq!(u64::from(key.unit(3).next_u32()), draws[0] >> 32);
}
