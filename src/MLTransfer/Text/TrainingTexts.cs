using System.Runtime.InteropServices;
using MLTransfer.Columns;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;

namespace MLTransfer.Text;

/// <summary>Texts as token ids: with a prompt each (which may be empty), or whole.</summary>
/// <param name="Texts">A prompt, null for whole texts, and what the model is to write.</param>
/// <param name="ByteCount">The length of what the model is to write, as UTF-8.</param>
internal sealed record TrainingTexts(IReadOnlyList<(int[]? Prompt, int[] Text)> Texts, long ByteCount)
{
    /// <summary>What reading them has come across.</summary>
    public TextCounts Counts { get; init; } = new();

    /// <summary>Reads whole texts.</summary>
    public static TrainingTexts Read(
        IDataView data, string textColumn, TextTokenizer tokenizer, CancellationToken cancellationToken = default) =>
        Read(data, null, ColumnRole.Text("training", textColumn), tokenizer, cancellationToken);

    /// <summary>Reads what a text generator is trained on. Rows without a text are left out.</summary>
    public static TrainingTexts Read(
        IDataView data, TextGeneratorColumns columns, TextTokenizer tokenizer, CancellationToken cancellationToken = default) =>
        Read(data, columns.Completion is null ? null : columns.InputRole, columns.TextRole, tokenizer, cancellationToken);

    /// <summary>Makes rows to train on or to evaluate with.</summary>
    /// <param name="packing">How texts become rows.</param>
    /// <param name="maximumLength">The most tokens of a row.</param>
    /// <param name="endOfSequence">The token that follows every text, or null.</param>
    public IReadOnlyList<TrainingExample> ToExamples(RowPacking packing, int maximumLength, int? endOfSequence)
    {
        if (packing == RowPacking.Concatenated)
        {
            int[] all = [.. Texts.SelectMany(text => WithEnd(text.Text))];
            var blocks = TrainingExamples.Blocks(all, maximumLength);
            return blocks.Count > 0 ? blocks : [.. TrainingExamples.Document(all, maximumLength)];
        }

        TrainingExample[] examples =
        [
            .. Texts.SelectMany(text => text.Prompt is { } prompt
                ? [TrainingExamples.Completion(prompt, WithEnd(text.Text), maximumLength)]
                : TrainingExamples.Document(WithEnd(text.Text), maximumLength)).Where(example => example.InputIds.Length > 0),
        ];
        return packing == RowPacking.Packed ? Packed(examples, maximumLength) : examples;

        int[] WithEnd(int[] text) => NeedsEnd(text, endOfSequence) ? [.. text, endOfSequence!.Value] : text;
    }

    /// <summary>Rows of several examples. One that has a row to itself stays as it is: it needs no mask that keeps others away.</summary>
    private static List<TrainingExample> Packed(TrainingExample[] examples, int maximumLength)
    {
        var rows = new List<TrainingExample>();
        var first = 0; // of the row
        foreach (var row in TrainingExamples.Pack(examples, maximumLength))
        {
            var count = row.SequenceIds![^1] + 1;
            rows.Add(count == 1 ? examples[first] : row);
            first += count;
        }

        return rows;
    }

    /// <summary>Cuts whole texts that are longer than a row; each piece has the special tokens around it that a text has.</summary>
    /// <param name="tokenizer">Tells these tokens. Where they are not the same for every text, texts stay as they are.</param>
    /// <param name="maximumLength">The most tokens of a row.</param>
    /// <exception cref="ArgumentException">A row has no room for a text beside the special tokens.</exception>
    public TrainingTexts CutBetweenSpecialTokens(TextTokenizer tokenizer, int maximumLength)
    {
        if (tokenizer.AroundText is not var (leading, trailing))
            return this;
        var room = maximumLength - leading.Count - trailing.Count;
        if (room < 1)
        {
            throw new ArgumentException(
                $"{nameof(TextInfillerOptions.MaximumLength)} is {maximumLength}, which the special tokens around a text fill already; "
                + $"there are {leading.Count + trailing.Count}. Raise it.");
        }

        return this with
        {
            Texts =
            [
                .. Texts.SelectMany(text => text.Text.Length <= maximumLength ? [text]
                    : text.Text[leading.Count..^trailing.Count].Chunk(room)
                        .Select(piece => ((int[]?)null, (int[])[.. leading, .. piece, .. trailing]))),
            ],
        };
    }

    /// <summary>How many texts are longer than a row, their prompts included; 0 where texts are joined.</summary>
    /// <inheritdoc cref="ToExamples" path="/param"/>
    public long CountCut(RowPacking packing, int maximumLength, int? endOfSequence) => packing == RowPacking.Concatenated ? 0
        : Texts.Count(text => (text.Prompt?.Length ?? 0) + text.Text.Length + (NeedsEnd(text.Text, endOfSequence) ? 1 : 0) > maximumLength);

    // A tokenizer's own template may have put it there already.
    private static bool NeedsEnd(int[] text, int? endOfSequence) => endOfSequence is { } id && (text.Length == 0 || text[^1] != id);

    /// <summary>Takes the last texts away, or the end of a single whole one.</summary>
    /// <returns>What stays, and what was taken; the latter is empty where there is nothing to divide.</returns>
    public (TrainingTexts Training, TrainingTexts Validation) Split(double fraction)
    {
        if (fraction == 0 || Texts.Count == 0)
            return (this, new TrainingTexts([], 0));
        if (Texts is [(null, { Length: > 3 } single)])
        {
            var cut = single.Length - Math.Clamp((int)(single.Length * fraction), 2, single.Length - 2);
            return (new TrainingTexts([(null, single[..cut])], 0), new TrainingTexts([(null, single[cut..])], 0));
        }

        var taken = Math.Min(Texts.Count - 1, Math.Max(1, (int)(Texts.Count * fraction)));
        return (new TrainingTexts([.. Texts.SkipLast(taken)], 0), new TrainingTexts([.. Texts.TakeLast(taken)], 0));
    }

    private static TrainingTexts Read(
        IDataView data, ColumnRole? promptRole, ColumnRole textRole, TextTokenizer tokenizer, CancellationToken cancellationToken)
    {
        var text = textRole.Find(data.Schema);
        var prompt = promptRole?.Find(data.Schema);
        using var cursor = data.GetRowCursor(prompt is { } p ? [text, p] : [text]);
        var textGetter = cursor.GetGetter<ReadOnlyMemory<char>>(text);
        var promptGetter = prompt is { } column ? cursor.GetGetter<ReadOnlyMemory<char>>(column) : null;

        var texts = new List<(int[]? Prompt, int[] Text)>();
        long bytes = 0;
        var (empty, unknown, duplicates) = (0L, 0L, new DuplicateCounter());
        ReadOnlyMemory<char> value = default;
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            textGetter(ref value);
            if (value.IsEmpty)
            {
                empty++;
                continue;
            }

            bytes += System.Text.Encoding.UTF8.GetByteCount(value.Span);
            var ids = tokenizer.Encode(value.ToString(), addSpecialTokens: promptGetter is null);
            unknown += Unknown(ids);
            if (promptGetter is null)
            {
                duplicates.Add(MemoryMarshal.AsBytes<int>(ids));
                texts.Add((null, ids));
                continue;
            }

            promptGetter(ref value);
            int[] promptIds = tokenizer.Encode(value.ToString());
            if (promptIds.Length == 0 && tokenizer.BeginningOfSequenceId is { } beginning)
                promptIds = [beginning]; // as generation does
            unknown += Unknown(promptIds);
            duplicates.Add(MemoryMarshal.AsBytes<int>([promptIds.Length, .. promptIds, .. ids]));
            texts.Add((promptIds, ids));
        }

        return new TrainingTexts(texts, bytes) { Counts = new TextCounts(empty, duplicates.Count, unknown) };

        int Unknown(ReadOnlySpan<int> ids) => tokenizer.UnknownId is { } id ? ids.Count(id) : 0;
    }
}
