//! What a function does, and the clock that counts its run time.

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// Consumes what each invocation requests.
    Trace,
    /// Replies at once, without consuming anything.
    Empty,
    /// Watches the clock, and takes half of the memory.
    Timed,
    /// Sleeps, and maps memory without touching it.
    Wimpy,
    /// Replies with a greeting, as `helloworld.Greeter`.
    Hello,
}

impl FunctionKind {
    /// All kinds of functions.
    pub const ALL: [Self; 5] = [Self::Trace, Self::Empty, Self::Timed, Self::Wimpy, Self::Hello];

    /// As in a spec.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Empty => "empty",
            Self::Timed => "timed",
            Self::Wimpy => "wimpy",
            Self::Hello => "hello",
        }
    }

    /// Whether an invocation keeps a processor busy for the run time that it requests.
    pub const fn computes(self) -> bool {
        match self {
            Self::Trace | Self::Timed => true,
            Self::Empty | Self::Wimpy | Self::Hello => false,
        }
    }

    /// Whether it runs for as long as requested, so that its response can be compared with that.
    pub const fn runs_as_requested(self) -> bool {
        match self {
            Self::Trace | Self::Timed => true,
            Self::Empty | Self::Wimpy | Self::Hello => false,
        }
    }
}

/// The clock that counts a function's run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeClock {
    /// Busy until the time since receipt has passed.
    Wall,
    /// Busy until the thread has consumed the time.
    Cpu,
}

impl RuntimeClock {
    /// Both clocks.
    pub const ALL: [Self; 2] = [Self::Wall, Self::Cpu];

    /// As in a spec and in request metadata.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wall => "wall",
            Self::Cpu => "cpu",
        }
    }
}
