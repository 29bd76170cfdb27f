using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

public class TrainingExamplesTests
{
    private const int Ignored = TrainingExample.Ignored;

    [Property]
    public Property Blocks_lose_nothing_but_an_incomplete_last_row() =>
        Prop.ForAll(Tokens().ToArbitrary(), Length().ToArbitrary(), (tokens, length) =>
    {
        var rows = TrainingExamples.Blocks(tokens, length);
        Assert.All(rows, row => Assert.Equal(length, row.InputIds.Length));
        Assert.All(rows, row => Assert.Equal(row.InputIds, row.Labels));
        Assert.Equal(tokens.Take(tokens.Length / length * length), rows.SelectMany(row => row.InputIds));
    });

    [Property]
    public Property A_document_loses_nothing_but_a_single_last_token() =>
        Prop.ForAll(Tokens().ToArbitrary(), Length().ToArbitrary(), (tokens, length) =>
    {
        var rows = TrainingExamples.Document(tokens, length).ToList();
        Assert.All(rows, row => Assert.InRange(row.InputIds.Length, 2, length));
        Assert.All(rows, row => Assert.Equal(row.InputIds, row.Labels));
        Assert.All(rows.SkipLast(1), row => Assert.Equal(length, row.InputIds.Length));
        Assert.Equal(tokens.Take(tokens.Length % length == 1 ? tokens.Length - 1 : tokens.Length), rows.SelectMany(row => row.InputIds));
    });

    [Property]
    public Property A_completion_counts_alone_and_is_cut_only_where_the_prompt_cannot_give_way() => Prop.ForAll(
        Tokens().ToArbitrary(), Tokens().ToArbitrary(), Length().ToArbitrary(), (prompt, completion, length) =>
        {
            var row = TrainingExamples.Completion(prompt, completion, length);
            var counted = row.Labels.SkipWhile(label => label == Ignored).ToArray();
            var context = row.InputIds[..^counted.Length];
            Assert.Equal(Math.Min(length, prompt.Length + completion.Length), row.InputIds.Length);
            Assert.Equal(row.InputIds[context.Length..], counted);
            Assert.Equal(prompt[^context.Length..], context);
            Assert.Equal(completion[..counted.Length], counted);
            if (counted.Length < completion.Length)
                Assert.Equal(Math.Min(1, prompt.Length), context.Length); // one token of the prompt stays, to predict the first one from
            if (prompt.Length > 0)
                Assert.Equal(counted.Length, row.PredictedTokens);
        });

    [Property]
    public Property Packing_loses_nothing_keeps_the_order_and_closes_every_border() => Prop.ForAll(
        Length().SelectMany(length => Gen.Choose(0, length).SelectMany(Row).ListOf().Select(rows => (length, rows))).ToArbitrary(), given =>
        {
            var packed = TrainingExamples.Pack(given.rows, given.length);
            Assert.All(packed, row => Assert.InRange(row.InputIds.Length, 1, given.length));
            var sequences = packed.SelectMany(Split).ToList();
            var full = given.rows.Where(row => row.InputIds.Length > 0).ToList();
            Assert.Equal(full.Count, sequences.Count);
            foreach (var (expected, actual) in full.Zip(sequences))
            {
                Assert.Equal(expected.InputIds, actual.InputIds);
                Assert.Equal([Ignored, .. expected.Labels[1..]], actual.Labels);
            }

            // Full means full: a sequence begins a new row only where it did not fit into the one before.
            foreach (var (row, next) in packed.Zip(packed.Skip(1)))
                Assert.True(row.InputIds.Length + Split(next).First().InputIds.Length > given.length);
        });

    [Fact]
    public void Packing_refuses_what_it_cannot_pack()
    {
        AssertRefused("5 tokens", new TrainingExample([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]));
        AssertRefused("2 labels", new TrainingExample([1, 2, 3], [1, 2]));
        AssertRefused("packed already", new TrainingExample([1, 2, 3], [1, 2, 3], [0, 0, 1]));

        static void AssertRefused(string message, TrainingExample row) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => TrainingExamples.Pack([row], 4)).Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    public void Rows_that_cannot_hold_a_token_and_its_successor_are_refused(int length)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => TrainingExamples.Blocks([1, 2, 3], length));
        Assert.Throws<ArgumentOutOfRangeException>(() => TrainingExamples.Document([1, 2, 3], length).ToList());
        Assert.Throws<ArgumentOutOfRangeException>(() => TrainingExamples.Completion([1], [2], length));
        Assert.Throws<ArgumentOutOfRangeException>(() => TrainingExamples.Pack([], length));
    }

    private static IEnumerable<TrainingExample> Split(TrainingExample row)
    {
        for (var start = 0; start < row.InputIds.Length;)
        {
            var end = start;
            while (end < row.InputIds.Length && row.SequenceIds![end] == row.SequenceIds[start])
                end++;
            yield return new TrainingExample(row.InputIds[start..end], row.Labels[start..end]);
            start = end;
        }
    }

    private static Gen<int> Length() => Gen.Choose(2, 9);

    private static Gen<int[]> Tokens() => Gen.Choose(0, 25).SelectMany(count => Gen.Choose(0, 999).ArrayOf(count));

    private static Gen<TrainingExample> Row(int count) =>
        from ids in Gen.Choose(0, 999).ArrayOf(count)
        from counts in Gen.Elements(true, true, false).ArrayOf(count)
        select new TrainingExample(ids, [.. ids.Zip(counts, (id, isCounted) => isCounted ? id : Ignored)]);
}
