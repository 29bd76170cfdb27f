using MLTransfer.Columns;
using MLTransfer.Text.Chats;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Tokenization;
using Microsoft.ML;

namespace MLTransfer.Text;

/// <summary>Compares what a model writes with the rows that it was trained on.</summary>
internal static class TextMemorizationEvaluator
{
    /// <param name="data">The training rows.</param>
    /// <param name="columns">The model's.</param>
    /// <param name="options">Checked.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="generate">Continues prompts.</param>
    /// <param name="cancellationToken">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">A column is missing or not text, or no row has a text.</exception>
    public static TextMemorization Evaluate(
        IDataView data, TextGeneratorColumns columns, TextMemorizationOptions options, TextTokenizer tokenizer,
        Func<IReadOnlyList<string>, IReadOnlyList<IReadOnlyList<GeneratedText>>> generate, CancellationToken cancellationToken)
    {
        var isOfChats = columns.Chat is not null && options.TextColumnName is null && options.PromptColumnName is null;
        var rows = isOfChats
            ? ChatRows.Answers(data, columns, tokenizer, cancellationToken) : Read(data, columns, options, tokenizer, cancellationToken);
        if (rows.Count == 0)
            throw new ArgumentException(
                $"There is nothing to compare with: no row of column '{options.TextColumnName ?? columns.TextRole.Column}' has a text.",
                nameof(data));
        var prompts = options.Prompts
            ?? Prompts(isOfChats ? rows.FindAll(row => row.Prompt is not null) : rows, options, tokenizer);
        var texts = prompts.Zip(generate(prompts), (prompt, made) => made.Select(text => (Prompt: prompt, Ids: text.TokenIds)))
            .SelectMany(made => made).ToList();
        var copied = CopiedTokens.Find(
            [.. rows.Select(row => row.Text)], [.. texts.Select(text => text.Ids)], options.NgramLength, cancellationToken);
        var examples = copied.Spans.OrderByDescending(span => span.Length).Take(options.ExampleCount).Select(span => new CopiedText(
            texts[span.Generated].Prompt,
            tokenizer.Decode([.. texts[span.Generated].Ids.Skip(span.Start).Take(span.Length)]),
            span.Length,
            rows[span.Training].Number));
        return new TextMemorization(
            options.NgramLength, texts.Count, copied.NgramCount, copied.CopiedNgramCount,
            copied.Spans.Select(span => span.Length).DefaultIfEmpty().Max(), [.. examples]);
    }

    private static List<string> Prompts(
        List<(long Number, string? Prompt, int[] Text)> rows, TextMemorizationOptions options, TextTokenizer tokenizer)
    {
        var count = Math.Min(options.PromptCount, rows.Count);
        return
        [
            .. Enumerable.Range(0, count).Select(i => rows[(int)((long)i * rows.Count / count)])
                .Select(row => row.Prompt ?? tokenizer.Decode(row.Text.AsSpan(0, Math.Min(options.PromptLength, row.Text.Length)))),
        ];
    }

    private static List<(long Number, string? Prompt, int[] Text)> Read(
        IDataView data, TextGeneratorColumns columns, TextMemorizationOptions options, TextTokenizer tokenizer,
        CancellationToken cancellationToken)
    {
        var textRole = options.TextColumnName is { } name ? ColumnRole.Text("training", name) : columns.TextRole;
        var promptRole = options.PromptColumnName is { } prompts ? ColumnRole.Text("prompt", prompts)
            : options.Prompts is null && options.TextColumnName is null && columns.Completion is not null ? columns.InputRole : null;
        var text = textRole.Find(data.Schema);
        var prompt = promptRole?.Find(data.Schema);
        using var cursor = data.GetRowCursor(prompt is { } column ? [text, column] : [text]);
        var textGetter = cursor.GetGetter<ReadOnlyMemory<char>>(text);
        var promptGetter = prompt is { } found ? cursor.GetGetter<ReadOnlyMemory<char>>(found) : null;
        var rows = new List<(long, string?, int[])>();
        ReadOnlyMemory<char> value = default;
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            textGetter(ref value);
            if (value.IsEmpty)
                continue;
            var ids = tokenizer.Encode(value.ToString(), addSpecialTokens: false);
            promptGetter?.Invoke(ref value);
            rows.Add((cursor.Position, promptGetter is null ? null : value.ToString(), ids));
        }

        return rows;
    }
}
