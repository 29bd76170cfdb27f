using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Torch.Generation;

namespace MLTransfer.Text;

/// <summary>One row with generated columns, for <c>PredictionEngine</c>. It follows its input row, whose values may change.</summary>
internal sealed class GeneratedRow : DataViewRow
{
    private readonly DataViewRow _input;
    private readonly GeneratedSchema _schema;
    private readonly GeneratingTransformer _transformer;
    private readonly HashSet<int> _active;
    private readonly ValueGetter<ReadOnlyMemory<char>>? _promptGetter;
    private (string Prompt, IReadOnlyList<GeneratedText> Texts)? _last;

    public GeneratedRow(
        DataViewRow input, GeneratedSchema schema, IEnumerable<DataViewSchema.Column> active, GeneratingTransformer transformer)
    {
        (_input, _schema, _transformer) = (input, schema, transformer);
        _active = [.. active.Select(column => column.Index)];
        if (_active.Any(index => schema.Kind(index) is not null))
            _promptGetter = input.GetGetter<ReadOnlyMemory<char>>(input.Schema[schema.Prompt.Index]);
    }

    public override DataViewSchema Schema => _schema.Output;

    public override long Position => _input.Position;

    public override long Batch => _input.Batch;

    public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column)
    {
        _schema.Check(column);
        return _active.Contains(column.Index);
    }

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        if (!IsColumnActive(column))
            throw new ArgumentException($"The column '{column.Name}' was not asked for when the row was made.", nameof(column));
        if (_schema.Kind(column.Index) is not { } kind)
            return _input.GetGetter<TValue>(_input.Schema[column.Index]);
        return GeneratedValues.CreateGetter(kind, _transformer.Columns.SequencesPerPrompt, CurrentTexts) as ValueGetter<TValue>
            ?? throw new ArgumentException(
                $"The column '{column.Name}' has values of type {column.Type.RawType}, not {typeof(TValue)}.", nameof(column));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _input.Dispose();
        base.Dispose(disposing);
    }

    private IReadOnlyList<GeneratedText> CurrentTexts()
    {
        ReadOnlyMemory<char> memory = default;
        _promptGetter!(ref memory);
        // The same prompt gives the same text, and several generated columns ask for the same row.
        if (_last is not { } last || !memory.Span.SequenceEqual(last.Prompt))
        {
            var prompt = memory.ToString();
            _last = last = (prompt, _transformer.Generate([prompt])[0]);
        }

        return last.Texts;
    }
}
