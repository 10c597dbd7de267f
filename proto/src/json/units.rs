//! Durations and memory sizes as people write them.

/// Bytes of a MiB.
const MIB: u64 = 1 << 20;

/// Most seconds of a duration, some 10 000 years: the range of protobuf's `Duration` in its JSON form. A longer one could be
/// read and not written again.
const MOST_SECONDS: u64 = 315_576_000_000;

/// Reads a duration such as `240s`, `4m`, `1h 30m` or `500ms`. A leading minus is read, too: whether a negative duration
/// is valid is checked with the field.
///
/// # Errors
/// A text that is no duration, a number without a unit, or more than 10 000 years.
pub fn parse_duration(text: &str) -> Result<prost_types::Duration, String> {
    let wrong = || format!("{text:?} is not a duration: write it as 90s, 4m or 500ms");
    let long = || format!("{text:?} is too long: a duration is at most {MOST_SECONDS}s");
    if let Ok(duration) = text.parse::<prost_types::Duration>() {
        return if duration.seconds.unsigned_abs() <= MOST_SECONDS { Ok(duration) } else { Err(long()) };
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let parsed = humantime::parse_duration(digits).map_err(|_| wrong())?;
    if parsed.as_secs() > MOST_SECONDS {
        return Err(long());
    }
    let seconds = i64::try_from(parsed.as_secs()).map_err(|_| wrong())?;
    let nanos = i32::try_from(parsed.subsec_nanos()).map_err(|_| wrong())?;
    let sign = if negative { -1 } else { 1 };
    Ok(prost_types::Duration { seconds: seconds * i64::from(sign), nanos: nanos * sign })
}

/// Reads a memory size such as `170`, `170MiB`, `0.5GiB` or `1GiB`, in MiB. A number without a unit is MiB.
///
/// # Errors
/// A text that is no size, a size that is no whole number of MiB, or more than 2^32 - 1 MiB.
pub fn parse_mib(text: &str) -> Result<u32, String> {
    let wrong = || format!("{text:?} is not a memory size: write it as 170MiB or 1GiB");
    let trimmed = text.trim();
    let unit_at = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(unit_at);
    let unit_bytes: u64 = match unit.trim_start() {
        "" | "MiB" | "Mi" => MIB,
        "KiB" | "Ki" => 1 << 10,
        "GiB" | "Gi" => 1 << 30,
        "TiB" | "Ti" => 1 << 40,
        "KB" | "kB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        _ => return Err(wrong()),
    };
    let (digits, scale) = decimal(number).ok_or_else(wrong)?;
    let (bytes, mib) = (u128::from(digits) * u128::from(unit_bytes), u128::from(scale) * u128::from(MIB));
    let whole = bytes / mib;
    if !bytes.is_multiple_of(mib) {
        let cut = bytes * 100 / mib;
        let next = if whole == 0 { "1MiB".to_owned() } else { format!("{whole}MiB or {}MiB", whole + 1) };
        return Err(format!(
            "{text:?} is {}.{:02} MiB: write a whole number of them, such as {next}",
            cut / 100,
            cut % 100
        ));
    }
    u32::try_from(whole).map_err(|_| format!("{text:?} is more than any machine has"))
}

/// A number without a sign as its digits and what they are to be divided by.
fn decimal(text: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let complete = !whole.is_empty() && (!fraction.is_empty() || !text.contains('.'));
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    complete.then_some((format!("{whole}{fraction}").parse().ok()?, scale))
}
