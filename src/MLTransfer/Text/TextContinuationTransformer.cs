using MLTransfer.Text;
using MLTransfer.Text.Chats;
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
public abstract class TextContinuationTransformer : ColumnMappingTransformer, ITextStream, IChatStream, ITextResponder
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

    /// <param name="prompts">Texts, or chats.</param>
    /// <param name="rows">The row of each.</param>
    internal IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(IReadOnlyList<string> prompts, IReadOnlyList<long> rows)
    {
        using var hold = Hold();
        var options = Generation with { BatchSize = GenerationBatchSize };
        return Columns.Chat is { } form
            ? Chats.Generate(prompts, form, options, (i, exception) => ChatCursor.RowError(rows[i], Columns.Input, exception), default)
            : Generate(prompts, options);
    }

    /// <inheritdoc/>
    string IChatStream.Answer(string chat, CancellationToken cancellationToken)
    {
        using var hold = Hold();
        return Chats.Generate([chat], Columns.Chat ?? ChatForm.Usual, Generation, (_, exception) =>
            exception, cancellationToken)[0][0].Text;
    }

    /// <inheritdoc/>
    IAsyncEnumerable<string> IChatStream.StreamAsync(string chat, CancellationToken cancellationToken)
    {
        CheckStream();
        using var hold = Hold();
        return Chats.StreamAsync(chat, Columns.Chat ?? ChatForm.Usual, Generation, cancellationToken);
    }

    /// <inheritdoc/>
    IAsyncEnumerable<string> ITextStream.StreamAsync(string prompt, CancellationToken cancellationToken)
    {
        CheckStream();
        using var hold = Hold();
        return Columns.Chat is { } form
            ? Chats.StreamAsync(prompt, form, Generation, cancellationToken) : Stream(prompt, Generation, cancellationToken);
    }

    /// <inheritdoc/>
    string ITextResponder.ModelName => ModelName;

    /// <inheritdoc/>
    ChatForm? ITextResponder.Form => Columns.Chat;

    /// <inheritdoc/>
    ChatGenerator ITextResponder.Chats
    {
        get
        {
            using var hold = Hold();
            return Chats;
        }
    }

    private void CheckStream()
    {
        if (Generation.BeamCount > 1 || Generation.SequencesPerPrompt > 1)
        {
            throw new InvalidOperationException(
                $"A stream is one sequence that only grows, but the model generates with {nameof(Generation.BeamCount)} "
                + $"{Generation.BeamCount} and {nameof(Generation.SequencesPerPrompt)} {Generation.SequencesPerPrompt}. "
                + $"Use {nameof(Transform)}.");
        }
    }

    private protected override IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema) =>
        [.. Columns.InputRoles.Select(role => role.Find(schema))];

    private protected override MappedBatch CreateBatch(DataViewRow source, IReadOnlyList<DataViewSchema.Column> inputs, int slots) =>
        new GeneratedTextBatch(this, [.. Columns.Generated.Select(generated => generated.Kind)], source, inputs, slots);

    /// <summary>What clients call the model.</summary>
    private protected abstract string ModelName { get; }

    /// <summary>Writes the assistant's words in chats.</summary>
    private protected abstract ChatGenerator Chats { get; }

    private protected abstract IReadOnlyList<IReadOnlyList<GeneratedText>> Generate(
        IReadOnlyList<string> prompts, GenerationOptions options);

    private protected abstract IAsyncEnumerable<string> Stream(
        string prompt, GenerationOptions options, CancellationToken cancellationToken);
}
