using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// Noise that a network learns to undo: makes of a row of plain tokens what is read and what is predicted, anew in every epoch.
/// </summary>
public abstract record RowCorruption
{
    private protected RowCorruption()
    {
    }

    /// <summary>Makes a row that the network is trained on.</summary>
    /// <param name="row">Plain tokens; its labels are not read.</param>
    /// <param name="draws">The random numbers of this row in this epoch; the same ones give the same result.</param>
    /// <returns>Null where nothing of the row can be predicted, whatever is drawn.</returns>
    internal abstract TrainingExample? Corrupt(TrainingExample row, ref SplitMix64 draws);
}
