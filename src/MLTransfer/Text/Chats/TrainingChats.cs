using System.Runtime.InteropServices;
using System.Text;
using MLTransfer.Columns;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using Microsoft.ML;

namespace MLTransfer.Text.Chats;

/// <summary>Chats as token ids, with labels where the assistant's turns are that count.</summary>
/// <param name="Chats">One row a chat, however long.</param>
/// <param name="ByteCount">The length of what the assistant says, as UTF-8.</param>
internal sealed record TrainingChats(IReadOnlyList<TrainingExample> Chats, long ByteCount)
{
    /// <summary>What reading them has come across.</summary>
    public TextCounts Counts { get; init; } = new();

    /// <summary>Reads chats. Rows without one are left out.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="columns">Those of a chat model.</param>
    /// <param name="reader">Makes tokens of chats.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="endOfSequence">What follows the assistant's last word in a chat that ends with it; null for nothing.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="ArgumentException">A column is missing or not text.</exception>
    /// <exception cref="InvalidOperationException">A row's chat cannot be learned; the message names row and message.</exception>
    public static TrainingChats Read(
        IDataView data, TextGeneratorColumns columns, ChatReader reader, TextTokenizer tokenizer, int? endOfSequence,
        CancellationToken cancellationToken)
    {
        var form = columns.Chat!;
        using var cursor = ChatCursor.Open(data, columns.TextRole, form);
        var chats = new List<TrainingExample>();
        long bytes = 0;
        var (empty, unknown, duplicates) = (0L, 0L, new DuplicateCounter());
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (cursor.Chat is not { } text)
            {
                empty++;
                continue;
            }

            var (ids, labels, said) = cursor.Read(() =>
            {
                var chat = reader.Read(text);
                var mask = chat.GetMask(form.Loss);
                int[] all = [.. chat.Ids];
                return (all, all.Select((id, i) => mask[i] ? id : TrainingExample.Ignored).ToArray(), chat.TextOf(mask));
            });
            if (endOfSequence is { } end && ids[^1] != end && labels[^1] != TrainingExample.Ignored)
                (ids, labels) = ([.. ids, end], [.. labels, end]);
            bytes += Encoding.UTF8.GetByteCount(said);
            unknown += tokenizer.UnknownId is { } unknownId ? ids.AsSpan().Count(unknownId) : 0;
            duplicates.Add(MemoryMarshal.AsBytes<int>(ids));
            chats.Add(new TrainingExample(ids, labels));
        }

        return new TrainingChats(chats, bytes) { Counts = new TextCounts(empty, duplicates.Count, unknown) };
    }

    /// <summary>Makes rows to train on or to evaluate with. A chat that is longer than a row goes on in further rows.</summary>
    public IReadOnlyList<TrainingExample> ToExamples(RowPacking packing, int maximumLength)
    {
        TrainingExample[] rows = [.. Chats.SelectMany(chat => Cut(chat, maximumLength)).Where(row => row.PredictedTokens > 0)];
        return packing == RowPacking.Packed ? TrainingTexts.Packed(rows, maximumLength) : rows;
    }

    /// <summary>How many chats are longer than a row.</summary>
    public long CountCut(int maximumLength) => Chats.Count(chat => chat.InputIds.Length > maximumLength);

    /// <summary>Takes the last chats away.</summary>
    /// <returns>What stays, and what was taken; the latter is empty where there is nothing to divide.</returns>
    public (TrainingChats Training, TrainingChats Validation) Split(double fraction)
    {
        if (fraction == 0 || Chats.Count < 2)
            return (this, new TrainingChats([], 0));
        var taken = Math.Min(Chats.Count - 1, Math.Max(1, (int)(Chats.Count * fraction)));
        return (new TrainingChats([.. Chats.SkipLast(taken)], 0), new TrainingChats([.. Chats.TakeLast(taken)], 0));
    }

    private static IEnumerable<TrainingExample> Cut(TrainingExample chat, int length)
    {
        for (var start = 0; start < chat.InputIds.Length; start += length)
        {
            var part = start..Math.Min(chat.InputIds.Length, start + length);
            yield return new TrainingExample(chat.InputIds[part], chat.Labels[part]);
        }
    }
}
