using System.Text.Json.Serialization;
using MLTransfer.Columns;
using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLTransfer.Images;

/// <summary>The columns that a transformer reads and makes; part of a saved model.</summary>
/// <param name="Output">The column of pictures.</param>
/// <param name="Input">The column of seeds or latent vectors; null where latent vectors are drawn for the rows.</param>
/// <param name="Label">The column of labels; null for models without.</param>
/// <param name="Space">What vectors of the input are; null where the column tells.</param>
internal sealed record ImageGeneratorColumns(string Output, string? Input, string? Label, LatentSpace? Space = null)
{
    [JsonIgnore]
    private bool IsOfStyles => Space is LatentSpace.W or LatentSpace.WPlus;

    /// <summary>The seeds or latent vectors; null where there is no such column.</summary>
    [JsonIgnore]
    public ColumnRole? InputRole => Input is null ? null : new ColumnRole(
        "input", Input, ColumnKind.Number | ColumnKind.SingleVector,
        "a number, the seed of a picture, or a vector of Single, its latent vector");

    /// <summary>The labels; null where there is no such column.</summary>
    [JsonIgnore]
    public ColumnRole? LabelRole =>
        Label is null ? null : new ColumnRole("label", Label, ColumnKind.Key | ColumnKind.SingleVector, "a key or a vector of Single");

    /// <summary>The images that the model learns to make.</summary>
    public static ColumnRole TrainingRole(string column) => new("training", column, ColumnKind.Image, "an image (see LoadImages)");

    /// <summary>The columns that a transformer reads.</summary>
    [JsonIgnore]
    public IEnumerable<ColumnRole> Roles => new[] { InputRole, LabelRole }.OfType<ColumnRole>();

    /// <summary>The columns that fitting reads; training data needs no input column.</summary>
    public IEnumerable<ColumnRole> RolesWith(string trainingColumn)
    {
        var input = InputRole is { } role ? role with { IsOptional = true } : null;
        return new[] { TrainingRole(trainingColumn), input, LabelRole }.OfType<ColumnRole>();
    }

    /// <summary>The column of pictures.</summary>
    /// <param name="resolution">Their height and width; 0 where it is not known yet.</param>
    public OutputColumn OutputOf(int resolution) =>
        new(Output, resolution == 0 ? new ImageDataViewType() : new ImageDataViewType(resolution, resolution));

    /// <summary>
    /// The columns that <see cref="GeneratedImageBatch"/> reads: the input where there is one, and the label where the model takes one.
    /// </summary>
    /// <exception cref="ArgumentException">A column is missing, or has another type or size.</exception>
    public IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema, StyleGan2Generator generator)
    {
        var columns = new List<DataViewSchema.Column>();
        if (InputRole is { } input)
            columns.Add(FindInput(input, schema, generator));
        if (FindLabel(schema, generator) is { } label)
            columns.Add(label);
        return columns;
    }

    /// <summary>The label column; null where the model takes none.</summary>
    /// <exception cref="ArgumentException">It is missing, or has another type or size.</exception>
    public DataViewSchema.Column? FindLabel(DataViewSchema schema, StyleGan2Generator generator)
    {
        CheckLabel(generator);
        if (LabelRole is not { } role)
            return null;
        var column = role.Find(schema);
        var (size, found) = SizeOf(column);
        return size == (ulong)generator.LabelWidth
            ? column
            : throw role.OfAnotherShape($"the model takes {generator.LabelWidth} classes", found);
    }

    /// <summary>The classes of the label column, which there is.</summary>
    /// <exception cref="ArgumentException">The column is missing, or has more classes than a model takes.</exception>
    public int CountClasses(DataViewSchema schema)
    {
        var (size, found) = SizeOf(LabelRole!.Find(schema));
        return size is > 0 and <= StyleGan2Model.MaximumLabelWidth
            ? (int)size
            : throw LabelRole.OfAnotherShape($"a model takes 1 to {StyleGan2Model.MaximumLabelWidth} classes", found);
    }

    private static (ulong Size, string Found) SizeOf(DataViewSchema.Column label) => label.Type is KeyDataViewType key
        ? (key.Count, $"a key of {key.Count} classes")
        : ((ulong)label.Type.GetValueCount(), $"a vector of {label.Type.GetValueCount()} values");

    /// <summary>Checks that pictures are made from something.</summary>
    /// <exception cref="ArgumentException">There is neither an input nor a label column.</exception>
    public void CheckInput()
    {
        if (Input is null && Label is null)
        {
            throw new ArgumentException(
                "There is no column that pictures are made from: name one of seeds or latent vectors as inputColumnName or, for a "
                + $"conditional model, one of labels in {nameof(GenerateImagesOptions.LabelColumnName)}.");
        }
    }

    /// <summary>Checks that there is a label column if, and only if, the model takes labels.</summary>
    /// <exception cref="ArgumentException">There is one too few or too many.</exception>
    public void CheckLabel(StyleGan2Generator generator)
    {
        if (Label is null && generator.LabelWidth > 0 && !IsOfStyles)
        {
            throw new ArgumentException(
                $"The model takes labels of {generator.LabelWidth} classes: name their column in "
                + $"{nameof(GenerateImagesOptions.LabelColumnName)}, or, where the input column has styles, which need none, set "
                + $"{nameof(GenerateImagesOptions.LatentSpace)}.");
        }

        if (Label is not null && IsOfStyles)
        {
            throw new ArgumentException(
                $"Styles need no label: leave out {nameof(GenerateImagesOptions.LabelColumnName)}, which is '{Label}', or "
                + $"{nameof(GenerateImagesOptions.LatentSpace)}, which is {Space}.");
        }

        if (Label is not null && generator.LabelWidth == 0)
        {
            throw new ArgumentException(
                $"The model takes no labels: leave out {nameof(GenerateImagesOptions.LabelColumnName)}, which is '{Label}'"
                + (Input is null ? ", and name a column of seeds or latent vectors as inputColumnName." : "."));
        }
    }

    /// <summary>The column of training images.</summary>
    /// <exception cref="ArgumentException">It is missing, is no image, or has images of another size than the generator makes.</exception>
    public static DataViewSchema.Column FindImages(DataViewSchema schema, string name, StyleGan2Generator generator) =>
        FindImages(schema, TrainingRole(name), generator);

    /// <inheritdoc cref="FindImages(DataViewSchema, string, StyleGan2Generator)"/>
    public static DataViewSchema.Column FindImages(DataViewSchema schema, ColumnRole role, StyleGan2Generator generator)
    {
        var column = role.Find(schema);
        var (image, size) = ((ImageDataViewType)column.Type, generator.ImageResolution);
        return (image.Height > 0 && image.Height != size) || (image.Width > 0 && image.Width != size)
            ? throw role.OfAnotherShape(
                $"the model makes images of {size} rows and {size} columns",
                $"images of {image.Height} rows and {image.Width} columns. Put ResizeImages in front")
            : column;
    }

    /// <summary>What an input column holds.</summary>
    public LatentSpace SpaceOf(DataViewSchema.Column input, StyleGan2Generator generator)
    {
        if (input.Type is not VectorDataViewType vector)
            return LatentSpace.Z;
        var isOfAllStyles = vector.Size == LatentColumn.Width(LatentSpace.WPlus, generator) && vector.Size != generator.LatentWidth;
        return Space ?? LatentColumn.SpaceOf(input) ?? (isOfAllStyles ? LatentSpace.WPlus : LatentSpace.Z);
    }

    private DataViewSchema.Column FindInput(ColumnRole role, DataViewSchema schema, StyleGan2Generator generator)
    {
        var column = role.Find(schema);
        if (column.Type is not VectorDataViewType vector)
        {
            return IsOfStyles
                ? throw new ArgumentException(
                    $"Input column '{role.Column}' has seeds, but {nameof(GenerateImagesOptions.LatentSpace)} is {Space}: vectors are "
                    + "needed.")
                : column;
        }

        var space = SpaceOf(column, generator);
        if (Label is not null && space != LatentSpace.Z)
        {
            throw new ArgumentException(
                $"Input column '{role.Column}' has styles, which need no label: leave out "
                + $"{nameof(GenerateImagesOptions.LabelColumnName)}.");
        }

        var width = LatentColumn.Width(space, generator);
        return vector.Size == width ? column : throw new ArgumentException(
            $"The latent vectors of input column '{role.Column}' have {vector.Size} values; the model takes {width}"
            + (space == LatentSpace.Z ? "." : $" of {nameof(LatentSpace)}.{space}."));
    }
}
