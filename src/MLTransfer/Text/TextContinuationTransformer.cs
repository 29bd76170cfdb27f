using MLTransfer.Text;
using MLTransfer.Columns;
using MLTransfer.Torch.Generation;
using Microsoft.ML;

namespace MLTransfer;

/// <summary>Continues the prompts of a text column, whatever runs the model.</summary>
/// <remarks>
/// Texts are generated in batches of <see cref="GenerationBatchSize"/> rows, and only where a generated column is asked for. A row's text
/// depends on its prompt and the seed alone. An empty or missing prompt is continued from the beginning-of-sequence token; an encoder reads
/// the special tokens of its tokenizer.
/// </remarks>
public abstract class TextContinuationTransformer : ColumnMappingTransformer, ITextStream
{
    private protected TextContinuationTransformer(TextGeneratorColumns columns, GenerationOptions generation, int generationBatchSize)
        : base(generationBatchSize)
    {
        (Columns, Generation, GenerationBatchSize) = (columns, generation, generationBatchSize);
    }

    /// <summary>How texts are generated.</summary>
    public GenerationOptions Generation { get; }

    /// <summary>Prompts that are continued together.</summary>
    public int GenerationBatchSize { get; }

    internal TextGeneratorColumns Columns { get; }

    private protected override IReadOnlyList<OutputColumn> Outputs => Columns.Outputs;

    internal IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(IReadOnlyList<string> prompts)
    {
        using var hold = Hold();
        return Generate(prompts, Generation with { BatchSize = GenerationBatchSize });
    }

    /// <inheritdoc/>
    IAsyncEnumerable<string> ITextStream.StreamAsync(string prompt, CancellationToken cancellationToken)
    {
        if (Generation.BeamCount > 1 || Generation.SequencesPerPrompt > 1)
        {
            throw new InvalidOperationException(
                $"A stream is one sequence that only grows, but the model generates with {nameof(Generation.BeamCount)} "
                + $"{Generation.BeamCount} and {nameof(Generation.SequencesPerPrompt)} {Generation.SequencesPerPrompt}. "
                + $"Use {nameof(Transform)}.");
        }

        using var hold = Hold();
        return Stream(prompt, Generation, cancellationToken);
    }

    private protected override IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema) => [Columns.InputRole.Find(schema)];

    private protected override MappedBatch CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) =>
        new GeneratedTextBatch(
            this, [.. Columns.Generated.Select(generated => generated.Kind)], source.GetGetter<ReadOnlyMemory<char>>(inputs[0]), slots);

    private protected abstract IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(
        IReadOnlyList<string> prompts, GenerationOptions options);

    private protected abstract IAsyncEnumerable<string> Stream(
        string prompt, GenerationOptions options, CancellationToken cancellationToken);
}
