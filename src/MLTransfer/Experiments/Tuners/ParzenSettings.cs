namespace MLTransfer.Experiments.Tuners;

/// <summary>How densities are made of observations.</summary>
internal sealed record ParzenSettings
{
    public double PriorWeight { get; init; } = 1;

    /// <summary>Whether no kernel is narrower than the range divided by the number of observations, and by no more than 100.</summary>
    public bool ClipsNarrow { get; init; } = true;

    /// <summary>Whether the ends of the range count as neighbours of the outermost of several observations.</summary>
    public bool CountsEnds { get; init; }

    /// <summary>How many of so many finished trials count as good.</summary>
    public Func<int, int> Good { get; init; } = count => Math.Min((int)Math.Ceiling(0.1 * count), 25);
}
