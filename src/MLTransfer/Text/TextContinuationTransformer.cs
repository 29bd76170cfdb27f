using MLTransfer.Text;
using MLTransfer.Columns;
using MLTransfer.Torch.Generation;
using Microsoft.ML;

namespace MLTransfer;

/// <summary>Continues the prompts of a text column, whatever runs the model.</summary>
/// <remarks>
/// Texts are generated in batches of <see cref="GenerationBatchSize"/> rows, and only where a generated column is asked for. A row's text
/// depends on its prompt and the seed alone. An empty or missing prompt is continued from the beginning-of-sequence token.
/// </remarks>
public abstract class TextContinuationTransformer : ColumnMappingTransformer
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

    /// <summary>Continues one prompt and gives the text piece by piece; joined, the pieces are what <c>Transform</c> gives.</summary>
    /// <remarks>
    /// The model runs on a thread of its own, some pieces ahead at most. Several streams may be read at once. Ending the enumeration early
    /// ends the work.
    /// </remarks>
    /// <param name="prompt">May be empty.</param>
    /// <param name="cancellationToken">Ends the work between two tokens.</param>
    /// <returns>Pieces of text, none empty and none with half a character.</returns>
    /// <exception cref="InvalidOperationException">
    /// <see cref="Generation"/> asks for beams or several sequences, which are not there before their end.
    /// </exception>
    /// <exception cref="ObjectDisposedException">
    /// This object is disposed, here or before the enumeration begins. Where that happens later, the enumeration goes on.
    /// </exception>
    public IAsyncEnumerable<string> StreamAsync(string prompt, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        if (Generation.BeamCount > 1 || Generation.SequencesPerPrompt > 1)
        {
            throw new InvalidOperationException(
                $"A stream is one sequence that only grows, but {nameof(Generation)} has {nameof(Generation.BeamCount)} "
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
