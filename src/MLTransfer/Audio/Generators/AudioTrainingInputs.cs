using Microsoft.ML;

namespace MLTransfer.Audio.Generators;

/// <summary>The columns that an audio generator learns from; null where there is none.</summary>
internal sealed record AudioTrainingInputs(DataViewSchema.Column Sound, DataViewSchema.Column? Text, DataViewSchema.Column? Speaker)
{
    public IReadOnlyList<DataViewSchema.Column> All =>
        [.. new[] { Sound, Text, Speaker }.OfType<DataViewSchema.Column>().DistinctBy(column => column.Index)];
}
