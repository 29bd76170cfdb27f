using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Training.Language;

/// <summary>The rows of a run, checked, and the order in which it goes through them.</summary>
internal sealed class LanguageRows
{
    /// <summary>The purpose of the seeds of corruption; see <see cref="TrainingStep.Seed"/>.</summary>
    private const ulong TrainingSeeds = 4;

    private readonly IReadOnlyList<TrainingExample> _rows;
    private readonly RowCorruption? _corruption;
    private readonly MovingBlocks? _moving;
    private readonly ulong _seed;

    /// <exception cref="ArgumentException">A row does not fit the model, or none can be trained on.</exception>
    public LanguageRows(
        TransformerNetwork model, LanguageTrainingOptions options, IReadOnlyList<TrainingExample> training,
        IReadOnlyList<TrainingExample>? validation, RowCorruption? corruption = null)
    {
        (_corruption, _seed) = (corruption, (ulong)options.Seed);
        TrainingRows.Check(training, model, corruption, nameof(training));
        TrainingRows.Check(validation ?? [], model, corruption, nameof(validation));
        if (options.MoveBorders)
        {
            if (model is MaskedLanguageModel)
            {
                throw new ArgumentException(
                    $"{nameof(options.MoveBorders)} is for networks that continue texts: rows of a {model.GetType().Name} begin and end "
                    + "with special tokens. Leave it out.", nameof(options));
            }

            _moving = new MovingBlocks(training, options.Seed);
            training = [.. Enumerable.Range(0, _moving.Count).Select(row => _moving.Row(0, row))];
        }

        _rows = [.. training.Where((row, index) => Corrupt(row, 0, index) is { PredictedTokens: > 0 })];
        Validation = [.. (corruption?.ForEvaluation(validation ?? []) ?? validation ?? []).Where(row => row.PredictedTokens > 0)];
        if (_rows.Count == 0)
            throw new ArgumentException("There is nothing to train on: no training row has two tokens or more.", nameof(training));
        Schedule = RowSchedule.Of(options, _rows.Count, epoch => options switch
        {
            { GroupByLength: true } => RowOrder.GroupedByLength(
                [.. _rows.Select(row => row.TokenCount)], Schedule!.RowsPerStep, options.Seed, epoch),
            { Shuffle: true } => RowOrder.Shuffled(_rows.Count, options.Seed, epoch),
            _ => [.. Enumerable.Range(0, _rows.Count)],
        });
    }

    /// <summary>How many rows there are to train on: those that have a token to predict.</summary>
    public int TrainingCount => _rows.Count;

    /// <summary>Those that have a token to predict. Their noise, where there is some, is the same in every evaluation.</summary>
    public IReadOnlyList<TrainingExample> Validation { get; }

    public RowSchedule Schedule { get; }

    /// <summary>A row as a step reads it.</summary>
    /// <param name="row">Its number.</param>
    /// <param name="step">Steps done before.</param>
    public TrainingExample Training(int row, int step)
    {
        var epoch = step / Schedule.StepsPerEpoch;
        return Corrupt(_moving?.Row(epoch, row) ?? _rows[row], epoch, row)!;
    }

    /// <summary>The tokens of a row before noise.</summary>
    public int TokenCount(int row) => _rows[row].TokenCount;

    /// <summary>All rows as the first epoch reads them.</summary>
    public IEnumerable<TrainingExample> FirstEpoch() => Enumerable.Range(0, _rows.Count).Select(row => Training(row, 0));

    /// <summary>Makes the rows part of what a run is known by.</summary>
    public void AddTo(RunFingerprint fingerprint)
    {
        foreach (var rows in (IReadOnlyList<TrainingExample>[])[_rows, Validation])
        {
            fingerprint.AddNumber(rows.Count);
            foreach (var row in rows)
            {
                fingerprint.AddNumbers<int>(row.InputIds);
                fingerprint.AddNumbers<int>(row.Labels);
                fingerprint.AddNumbers<int>(row.SequenceIds);
                if (row.EncoderIds is not null)
                    fingerprint.AddNumbers<int>(row.EncoderIds);
            }
        }

        if (_corruption is not null)
        {
            fingerprint.AddText(_corruption.GetType().Name);
            fingerprint.AddJson<object>(_corruption);
        }
    }

    private TrainingExample? Corrupt(TrainingExample row, int epoch, int index)
    {
        if (_corruption is null)
            return row;
        var draws = new SplitMix64(SplitMix64.Mix(_seed, TrainingSeeds, (ulong)epoch, (ulong)index));
        return _corruption.Corrupt(row, ref draws);
    }
}
