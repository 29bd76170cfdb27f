using Microsoft.ML;

namespace MLTransfer.Audio.Generators;

/// <summary>The columns that sounds are made from; null where there is none.</summary>
internal sealed record AudioInputs(
    DataViewSchema.Column? Text, DataViewSchema.Column? Sound, DataViewSchema.Column? Speaker, DataViewSchema.Column? Seed)
{
    public IReadOnlyList<DataViewSchema.Column> All =>
        [.. new[] { Text, Sound, Speaker, Seed }.OfType<DataViewSchema.Column>().DistinctBy(column => column.Index)];
}
