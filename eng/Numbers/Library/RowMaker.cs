using MLTransfer.Torch.Training.Language;
using Numbers.Settings;

namespace Numbers.Library;

/// <summary>Training rows of language models.</summary>
internal static class RowMaker
{
    public static TextRow[] Blocks(int[] ids, int length) => [.. TrainingExamples.Blocks(ids, length).Select(FromExample)];

    public static TextRow[] Document(int[] ids, int length) => [.. TrainingExamples.Document(ids, length).Select(FromExample)];

    public static TextRow Completion(int[] prompt, int[] completion, int length) =>
        FromExample(TrainingExamples.Completion(prompt, completion, length));

    public static TextRow[] Pack(IEnumerable<TextRow> rows, int length) =>
        [.. TrainingExamples.Pack(rows.Select(ToExample), length).Select(FromExample)];

    internal static TrainingExample ToExample(TextRow row) => new(row.Ids, row.Labels, row.Sequences);

    private static TextRow FromExample(TrainingExample example) => new(example.InputIds, example.Labels, example.SequenceIds);
}
