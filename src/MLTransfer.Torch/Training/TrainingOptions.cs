namespace MLTransfer.Torch.Training;

/// <summary>How a network is trained. Which kind of options it takes, the network decides.</summary>
public abstract record TrainingOptions
{
    private protected TrainingOptions()
    {
    }

    /// <summary>Decides all that is drawn at random: the order of rows, dropout, noise (<c>seed</c>).</summary>
    public long Seed { get; init; } = 42;

    /// <exception cref="ArgumentException">An option is out of range, or does not go with another; the message names it.</exception>
    internal abstract void Check();
}
