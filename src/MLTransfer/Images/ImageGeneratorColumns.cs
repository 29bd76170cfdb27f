using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using static Microsoft.ML.SchemaShape.Column;

namespace MLTransfer.Images;

/// <summary>The columns that a transformer reads and makes; part of a saved model.</summary>
/// <param name="Output">The column of pictures.</param>
/// <param name="Input">The column of seeds or latent vectors; null where latent vectors are drawn for the rows.</param>
/// <param name="Label">The column of labels; null for models without.</param>
internal sealed record ImageGeneratorColumns(string Output, string? Input, string? Label)
{
    private const string ExpectedInput = "a number, the seed of a picture, or a vector of Single, its latent vector";
    private const string ExpectedLabel = "a key or a vector of Single";

    /// <summary>The schema with the output column. In training data the input column may be missing.</summary>
    /// <exception cref="ArgumentException">A column is missing, or has another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape schema, string? trainingColumn)
    {
        if (trainingColumn is not null)
        {
            var image = Find(schema, "training", trainingColumn);
            if (image.ItemType is not ImageDataViewType || image.Kind != VectorKind.Scalar)
                throw WrongType("training", trainingColumn, "an image (see LoadImages)", image.GetTypeString());
        }

        if (Input is not null && (trainingColumn is null || schema.TryFindColumn(Input, out _)))
        {
            var input = Find(schema, "input", Input);
            var isUsable = !input.IsKey && (input.Kind == VectorKind.Scalar
                ? input.ItemType is NumberDataViewType : input.Kind == VectorKind.Vector && input.ItemType == NumberDataViewType.Single);
            if (!isUsable)
                throw WrongType("input", Input, ExpectedInput, input.GetTypeString());
        }

        if (Label is not null)
        {
            var label = Find(schema, "label", Label);
            if (!(label.IsKey && label.Kind == VectorKind.Scalar) && !(label.Kind == VectorKind.Vector && label.ItemType == NumberDataViewType.Single))
                throw WrongType("label", Label, ExpectedLabel, label.GetTypeString());
        }

        var columns = schema.ToDictionary(column => column.Name);
        columns[Output] = new SchemaShape.Column(Output, VectorKind.Scalar, new ImageDataViewType(), isKey: false);
        return new SchemaShape(columns.Values);
    }

    /// <summary>The columns that <see cref="GeneratedImageBatch"/> reads: the input where there is one, and the label where the model takes one.</summary>
    /// <exception cref="ArgumentException">A column is missing, or has another type or size.</exception>
    public IReadOnlyList<DataViewSchema.Column> FindInputs(DataViewSchema schema, StyleGan2Generator generator)
    {
        var columns = new List<DataViewSchema.Column>();
        if (Input is not null)
            columns.Add(FindInput(schema, Input, generator));
        if (FindLabel(schema, generator) is { } label)
            columns.Add(label);
        return columns;
    }

    /// <summary>The label column; null where the model takes none.</summary>
    /// <exception cref="ArgumentException">It is missing, or has another type or size.</exception>
    public DataViewSchema.Column? FindLabel(DataViewSchema schema, StyleGan2Generator generator)
    {
        CheckLabel(generator);
        if (Label is null)
            return null;
        var column = Find(schema, "label", Label);
        var (size, found) = column.Type switch
        {
            KeyDataViewType key => (key.Count, $"a key of {key.Count} classes"),
            VectorDataViewType { ItemType: NumberDataViewType item } vector when item == NumberDataViewType.Single =>
                ((ulong)vector.Size, $"a vector of {Length(vector)} values"),
            var type => throw WrongType("label", Label, ExpectedLabel, type.ToString()!),
        };
        return size == (ulong)generator.LabelWidth ? column : throw new ArgumentException(
            $"Shape mismatch for label column '{Label}': the model takes {generator.LabelWidth} classes, but the column has {found}.");
    }

    /// <summary>Checks that pictures are made from something.</summary>
    /// <exception cref="ArgumentException">There is neither an input nor a label column.</exception>
    public void CheckInput()
    {
        if (Input is null && Label is null)
        {
            throw new ArgumentException("There is no column that pictures are made from: name one of seeds or latent vectors as inputColumnName or, for a "
                + $"conditional model, one of labels in {nameof(GenerateImagesOptions.LabelColumnName)}.");
        }
    }

    /// <summary>Checks that there is a label column if, and only if, the model takes labels.</summary>
    /// <exception cref="ArgumentException">There is one too few or too many.</exception>
    public void CheckLabel(StyleGan2Generator generator)
    {
        if (Label is null && generator.LabelWidth > 0)
        {
            throw new ArgumentException(
                $"The model takes labels of {generator.LabelWidth} classes: name their column in {nameof(GenerateImagesOptions.LabelColumnName)}.");
        }

        if (Label is not null && generator.LabelWidth == 0)
        {
            throw new ArgumentException($"The model takes no labels: leave out {nameof(GenerateImagesOptions.LabelColumnName)}, which is '{Label}'"
                + (Input is null ? ", and name a column of seeds or latent vectors as inputColumnName." : "."));
        }
    }

    /// <summary>The column of training images.</summary>
    /// <exception cref="ArgumentException">It is missing, is no image, or has images of another size than the generator makes.</exception>
    public static DataViewSchema.Column FindImages(DataViewSchema schema, string name, StyleGan2Generator generator)
    {
        var column = Find(schema, "training", name);
        if (column.Type is not ImageDataViewType image)
            throw WrongType("training", name, "an image (see LoadImages)", column.Type.ToString()!);
        var size = generator.ImageResolution;
        if ((image.Height > 0 && image.Height != size) || (image.Width > 0 && image.Width != size))
        {
            throw new ArgumentException($"Shape mismatch for training column '{name}': the model makes images of {size} rows and {size} columns, but the column has "
                + $"images of {image.Height} rows and {image.Width} columns. Put ResizeImages in front.");
        }

        return column;
    }

    private static DataViewSchema.Column FindInput(DataViewSchema schema, string name, StyleGan2Generator generator)
    {
        var input = Find(schema, "input", name);
        switch (input.Type)
        {
            case NumberDataViewType:
                break;
            case VectorDataViewType { ItemType: NumberDataViewType item } vector when item == NumberDataViewType.Single:
                if (vector.Size != generator.LatentWidth)
                {
                    throw new ArgumentException(
                        $"The latent vectors of input column '{name}' have {Length(vector)} values; the model takes {generator.LatentWidth}.");
                }

                break;
            default:
                throw WrongType("input", name, ExpectedInput, input.Type.ToString()!);
        }

        return input;
    }

    private static string Length(VectorDataViewType vector) => vector.IsKnownSize ? $"{vector.Size}" : "an unknown number of";

    private static SchemaShape.Column Find(SchemaShape schema, string role, string name) =>
        schema.TryFindColumn(name, out var column) ? column : throw Missing(role, name, schema.Select(c => c.Name));

    private static DataViewSchema.Column Find(DataViewSchema schema, string role, string name) =>
        schema.GetColumnOrNull(name) ?? throw Missing(role, name, schema.Where(c => !c.IsHidden).Select(c => c.Name));

    private static ArgumentException Missing(string role, string name, IEnumerable<string> present) =>
        new($"Could not find {role} column '{name}'. The data has the columns {string.Join(", ", present.Select(p => $"'{p}'"))}.");

    private static ArgumentException WrongType(string role, string name, string expected, string found) =>
        new($"Schema mismatch for {role} column '{name}': expected {expected}, got {found}.");
}
