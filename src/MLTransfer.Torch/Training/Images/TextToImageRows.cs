using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Tokenization;

namespace MLTransfer.Torch.Training.Images;

/// <summary>The rows of a run, the order in which it goes through them, and which captions it leaves out.</summary>
internal sealed class TextToImageRows
{
    private readonly TextToImageTrainingOptions _options;
    private readonly IReadOnlyList<TextToImageRow> _rows;

    /// <exception cref="ArgumentException">There is nothing to train on.</exception>
    public TextToImageRows(
        TextToImageTrainingOptions options, IReadOnlyList<TextToImageRow> training, IReadOnlyList<TextToImageRow> validation)
    {
        (_options, _rows, Validation) = (options, training, validation);
        if (training.Count == 0)
            throw new ArgumentException("There is nothing to train on: no pictures were given.", nameof(training));
        Schedule = RowSchedule.Of(options, training.Count, epoch => options.Shuffle
            ? RowOrder.Shuffled(training.Count, options.Seed, epoch) : [.. Enumerable.Range(0, training.Count)]);
    }

    /// <summary>How many rows there are to train on.</summary>
    public int TrainingCount => _rows.Count;

    public IReadOnlyList<TextToImageRow> Validation { get; }

    public RowSchedule Schedule { get; }

    /// <summary>Makes rows of pictures.</summary>
    /// <exception cref="ArgumentException">An example does not fit the model; the message has its number, counted from 0.</exception>
    public static IReadOnlyList<TextToImageRow> Read(
        TextToImageModel model, TextTokenizer? tokenizer, IReadOnlyList<TextToImageExample> examples, string name)
    {
        var rows = new List<TextToImageRow>();
        foreach (var (index, example) in examples.Index())
        {
            if (example is null)
                throw new ArgumentException($"Row {index} of '{name}' is null.", name);
            try
            {
                var caption = CaptionTokens.Read(model.TextVocabularySize, int.MaxValue, tokenizer, example.Caption);
                rows.Add(Checked(model, new(caption is null ? null : model.PadCaption(caption), [.. example.Codes])));
            }
            catch (ArgumentException exception)
            {
                throw new ArgumentException($"Row {index} of '{name}': {exception.Message}", name, exception);
            }
        }

        return rows;
    }

    /// <exception cref="ArgumentException">The row does not fit the model.</exception>
    private static TextToImageRow Checked(TextToImageModel model, TextToImageRow row)
    {
        var count = model.CodesPerSide * model.CodesPerSide;
        if (row.Codes.Length != count)
        {
            throw new ArgumentException(
                $"The picture has {row.Codes.Length} codes; the model writes {model.CodesPerSide} x {model.CodesPerSide}.");
        }

        return row.Codes.FirstOrDefault(code => (uint)code >= (uint)model.CodebookSize, 0) is var strange and not 0
            ? throw new ArgumentException($"The picture has the code {strange}; the model knows 0 to {model.CodebookSize - 1}.") : row;
    }

    /// <summary>A row as a step reads it: perhaps without its caption.</summary>
    /// <param name="row">Its number.</param>
    /// <param name="step">Steps done before.</param>
    public TextToImageRow Training(int row, int step) => ConditionDropout.LeavesOut(
        _options.ConditionDropout, _options.Seed, unit: 0, step / Schedule.StepsPerEpoch, (ulong)row)
        ? _rows[row] with { Text = null } : _rows[row];

    /// <summary>Makes the rows part of what a run is known by.</summary>
    public void AddTo(RunFingerprint fingerprint)
    {
        foreach (var rows in (IReadOnlyList<TextToImageRow>[])[_rows, Validation])
        {
            fingerprint.AddNumber(rows.Count);
            foreach (var row in rows)
            {
                fingerprint.AddNumber(row.Text is null ? 0 : 1);
                fingerprint.AddNumbers<int>(row.Text);
                fingerprint.AddNumbers<int>(row.Codes);
            }
        }
    }
}
