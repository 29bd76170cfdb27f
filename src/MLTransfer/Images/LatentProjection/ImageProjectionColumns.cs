using System.Text.Json.Serialization;
using MLTransfer.Columns;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;

namespace MLTransfer.Images.LatentProjection;

/// <summary>The columns that a projection reads and makes; part of a saved model.</summary>
/// <param name="Output">The column of latent vectors.</param>
/// <param name="Input">The column of pictures.</param>
internal sealed record ImageProjectionColumns(string Output, string Input)
{
    [JsonIgnore]
    public ColumnRole InputRole => new("input", Input, ColumnKind.Image, "an image (see LoadImages)");

    /// <summary>The column of pictures.</summary>
    /// <exception cref="ArgumentException">It is missing, is no image, or has images of another size than the generator makes.</exception>
    public DataViewSchema.Column Find(DataViewSchema schema, StyleGan2Generator generator) =>
        ImageGeneratorColumns.FindImages(schema, InputRole, generator);
}
