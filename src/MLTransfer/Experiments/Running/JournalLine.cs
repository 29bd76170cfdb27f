using System.Text.Json.Nodes;

namespace MLTransfer.Experiments.Running;

/// <summary>A line of the journal.</summary>
internal abstract record JournalLine
{
    /// <summary>The first: what the experiment is.</summary>
    /// <param name="Seed">Decides all draws.</param>
    /// <param name="Tuner">The class that chooses.</param>
    /// <param name="Space">What is chosen from.</param>
    public sealed record Head(long Seed, string Tuner, JsonNode Space) : JournalLine;

    /// <summary>A trial begins.</summary>
    /// <param name="Settings">The trial.</param>
    /// <param name="IsGiven">Whether its values were given, not chosen by the tuner.</param>
    public sealed record Start(TrialSettings Settings, bool IsGiven) : JournalLine;

    /// <summary>A trial reports.</summary>
    /// <param name="Trial">The trial's number.</param>
    /// <param name="Value">What it reports.</param>
    /// <param name="Place">How far its training is, so that what comes again after a kill is not counted twice.</param>
    public sealed record Report(int Trial, TrialReport Value, long Place) : JournalLine
    {
        /// <summary>What the trial was trained on so far; told by the process of a trial alone.</summary>
        public long Tokens { get; init; }
    }

    /// <summary>A trial ended.</summary>
    /// <param name="Result">With the trial's number alone of its settings, and without its reports.</param>
    public sealed record End(TrialResult Result) : JournalLine;
}
