using MLTransfer.Torch.Chats;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;

namespace MLTransfer.Text.Chats;

/// <summary>What a chat model is trained on and evaluated with.</summary>
internal static class ChatRows
{
    /// <exception cref="ArgumentException">A column is missing, or there is nothing to train on.</exception>
    /// <exception cref="InvalidOperationException">A row's chat cannot be learned; the message names row and message.</exception>
    public static TextTrainingRows Read(
        IDataView input, TextGeneratorColumns columns, TextRowForm form, TextGeneratorOptions options, TextTokenizer tokenizer,
        TransformerNetwork network, string name)
    {
        if (network is EncoderDecoderModel)
        {
            throw new ArgumentException(
                $"{nameof(TextGeneratorOptions.ChatColumnName)} is for decoders; '{name}' has an encoder beside its decoder. Train it on "
                + $"prompts with their completions ({nameof(TextGeneratorOptions.CompletionColumnName)}).");
        }

        var reader = ReaderOf(tokenizer, columns, name);
        var chats = Chats(input);
        var (training, validation) = options.ValidationData is { } validationData
            ? (chats, Chats(validationData)) : chats.Split(options.ValidationFraction);
        var length = form.LengthOf(network);
        var rows = training.ToExamples(form.Packing, length);
        if (rows.Count == 0)
            throw new ArgumentException(
                $"There is nothing to train on: of column '{columns.TextRole.Column}' no row has a chat.", nameof(input));
        var evaluation = validation.ToExamples(form.Packing, length);
        return new TextTrainingRows(rows, evaluation, null, new TextDataReport
        {
            Texts = chats.Chats.Count,
            EmptyTexts = chats.Counts.Empty,
            DuplicateTexts = chats.Counts.Duplicates,
            CutTexts = chats.CountCut(length),
            MaximumLength = length,
            Rows = rows.Count,
            Tokens = rows.Sum(row => (long)row.InputIds.Length),
            UnknownTokens = chats.Counts.UnknownTokens,
            EvaluationRows = evaluation.Count,
        });

        TrainingChats Chats(IDataView data) =>
            TrainingChats.Read(data, columns, reader, tokenizer, EndOf(form, tokenizer), options.CancellationToken);
    }

    /// <summary>Measures how well a chat model predicts what the assistant says.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    public static TextGenerationMetrics Evaluate(
        TextGenerationModel model, IDataView data, TextGeneratorColumns columns, TextRowForm form, CancellationToken cancellationToken)
    {
        var chats = TrainingChats.Read(
            data, columns, ReaderOf(model.Tokenizer, columns, "the model"), model.Tokenizer, EndOf(form, model.Tokenizer),
                cancellationToken);
        return TextEvaluator.Evaluate(
            model, chats.ToExamples(form.Packing, form.LengthOf(model.Network)), chats.ByteCount, cancellationToken);
    }

    /// <summary>What the assistant says in each chat, with the chat up to its last turn.</summary>
    /// <returns>The number of the row, the prompt, or null where there is nothing before the turn, and the assistant's tokens.</returns>
    /// <inheritdoc cref="Read" path="/exception"/>
    public static List<(long Number, string? Prompt, int[] Text)> Answers(
        IDataView data, TextGeneratorColumns columns, TextTokenizer tokenizer, CancellationToken cancellationToken)
    {
        var reader = ReaderOf(tokenizer, columns, "the model");
        using var cursor = ChatCursor.Open(data, columns.TextRole, columns.Chat!);
        var rows = new List<(long, string?, int[])>();
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (cursor.Chat is not { } text)
                continue;
            var said = cursor.Read(() =>
            {
                var chat = reader.Read(text);
                var mask = chat.GetMask(columns.Chat!.Loss);
                return chat.Ids.Where((_, i) => mask[i]).ToArray();
            });
            rows.Add((cursor.Row, ChatMessages.BeforeLastAnswer(text), said));
        }

        return rows;
    }

    private static ChatReader ReaderOf(TextTokenizer tokenizer, TextGeneratorColumns columns, string name) =>
        new(ChatFormat.Of(tokenizer, columns.Chat!.Template, name), columns.Chat);

    // The template writes what ends a turn.
    private static int? EndOf(TextRowForm form, TextTokenizer tokenizer) =>
        form.AppendEndOfSequence == true ? tokenizer.EndOfSequenceId : null;
}
