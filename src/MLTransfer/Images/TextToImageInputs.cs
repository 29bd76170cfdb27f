using Microsoft.ML;

namespace MLTransfer.Images;

/// <summary>The columns that pictures are made from; null where there is none.</summary>
internal sealed record TextToImageInputs(DataViewSchema.Column? Text, DataViewSchema.Column? Image, DataViewSchema.Column? Seed)
{
    public IReadOnlyList<DataViewSchema.Column> All =>
        [.. new[] { Text, Image, Seed }.OfType<DataViewSchema.Column>().DistinctBy(column => column.Index)];
}
