using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// Noise that a network learns to undo: makes of a row of plain tokens what is read and what is predicted, anew in every epoch.
/// </summary>
public abstract record RowCorruption
{
    private const ulong EvaluationSeed = 5;

    private protected RowCorruption()
    {
    }

    /// <summary>The rows of an evaluation: their noise is the same in every one, whatever the seed of a run, so that losses
    /// compare.</summary>
    /// <param name="rows">Plain tokens.</param>
    /// <returns>Those of which something can be predicted.</returns>
    internal IReadOnlyList<TrainingExample> ForEvaluation(IReadOnlyList<TrainingExample> rows)
    {
        var corrupted = new List<TrainingExample>(rows.Count);
        for (var index = 0; index < rows.Count; index++)
        {
            var draws = new SplitMix64(SplitMix64.Mix(EvaluationSeed, (ulong)index));
            if (Corrupt(rows[index], ref draws) is { } row)
                corrupted.Add(row);
        }

        return corrupted;
    }

    /// <summary>Makes a row that the network is trained on.</summary>
    /// <param name="row">Plain tokens; its labels are not read.</param>
    /// <param name="draws">The random numbers of this row in this epoch; the same ones give the same result.</param>
    /// <returns>Null where nothing of the row can be predicted, whatever is drawn.</returns>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal abstract TrainingExample? Corrupt(TrainingExample row, ref SplitMix64 draws);
}
