using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Training.Audio;

/// <summary>The rows of a run, the order in which it goes through them, and which captions it leaves out.</summary>
internal sealed class MusicRows
{
    private readonly MusicTrainingOptions _options;
    private readonly IReadOnlyList<MusicTrainingRow> _rows;

    /// <exception cref="ArgumentException">There is nothing to train on.</exception>
    public MusicRows(MusicTrainingOptions options, IReadOnlyList<MusicTrainingRow> training, IReadOnlyList<MusicTrainingRow> validation)
    {
        (_options, _rows, Validation) = (options, training, validation);
        if (training.Count == 0)
            throw new ArgumentException("There is nothing to train on: no music was given.", nameof(training));
        Schedule = RowSchedule.Of(options, training.Count, epoch => options.Shuffle
            ? RowOrder.Shuffled(training.Count, options.Seed, epoch) : [.. Enumerable.Range(0, training.Count)]);
    }

    /// <summary>How many rows there are to train on.</summary>
    public int TrainingCount => _rows.Count;

    /// <summary>The columns of the longest row, and the tokens of the longest caption.</summary>
    public (int Columns, int Caption) Longest => Of(_rows);

    /// <summary>The same of validation rows; 0 where there are none.</summary>
    public (int Columns, int Caption) LongestValidation => Of(Validation);

    public IReadOnlyList<MusicTrainingRow> Validation { get; }

    public RowSchedule Schedule { get; }

    /// <summary>Makes rows of music: what is longer than a row is cut.</summary>
    /// <exception cref="ArgumentException">An example does not fit the model; the message has its number, counted from 0.</exception>
    public static IReadOnlyList<MusicTrainingRow> Read(
        MusicGenModel model, TextTokenizer? tokenizer, IReadOnlyList<MusicExample> examples, double maximumSeconds, string name)
    {
        var longest = model.Decoder.ContextLength - (model.Pattern.Depth - 1);
        var frames = (int)Math.Clamp(Math.Round(maximumSeconds * model.FrameRate), 1, Math.Max(1, longest));
        var rows = new List<MusicTrainingRow>();
        foreach (var (index, example) in examples.Index())
        {
            if (example is null)
                throw new ArgumentException($"Row {index} of '{name}' is null.", name);
            try
            {
                SoundCodes.CheckCodes(model, example.Codes);
                var caption = CaptionTokens.Read(
                    model.TextEncoder.Description.Output.Input.Rows, model.TextEncoder.ContextLength, tokenizer, example.Caption);
                for (var start = 0; start < example.Codes[0].Length; start += frames)
                {
                    int[][] part = [.. example.Codes.Select(row => row[start..Math.Min(row.Length, start + frames)])];
                    rows.Add(new MusicTrainingRow(caption, model.Pattern.Delay(part)));
                }
            }
            catch (ArgumentException exception)
            {
                throw new ArgumentException($"Row {index} of '{name}': {exception.Message}", name, exception);
            }
        }

        return rows;
    }

    /// <summary>A row as a step reads it: perhaps without its caption.</summary>
    /// <param name="row">Its number.</param>
    /// <param name="step">Steps done before.</param>
    public MusicTrainingRow Training(int row, int step)
    {
        var unit = _options.ConditionDropoutUnit == ConditionDropoutUnit.Step ? (ulong)(step % Schedule.StepsPerEpoch) : (ulong)row;
        return ConditionDropout.LeavesOut(
            _options.ConditionDropout, _options.Seed, (ulong)_options.ConditionDropoutUnit, step / Schedule.StepsPerEpoch, unit)
            ? _rows[row] with { CaptionIds = null } : _rows[row];
    }

    public int LengthOf(int row) => _rows[row].Length;

    /// <summary>Makes the rows part of what a run is known by.</summary>
    public void AddTo(RunFingerprint fingerprint)
    {
        foreach (var rows in (IReadOnlyList<MusicTrainingRow>[])[_rows, Validation])
        {
            fingerprint.AddNumber(rows.Count);
            foreach (var row in rows)
            {
                fingerprint.AddNumber(row.CaptionIds is null ? 0 : 1);
                fingerprint.AddNumbers<int>(row.CaptionIds);
                foreach (var labels in row.Labels)
                    fingerprint.AddNumbers<int>(labels);
            }
        }
    }

    private static (int Columns, int Caption) Of(IReadOnlyList<MusicTrainingRow> rows) => rows.Count == 0 ? (0, 0)
        : (rows.Max(row => row.Length), rows.Max(row => row.CaptionIds?.Length ?? 1));
}
