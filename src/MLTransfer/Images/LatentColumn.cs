using MLTransfer.Torch.Networks.StyleGan2;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Images;

/// <summary>A column of latent vectors, which says by an annotation of which space they are.</summary>
internal static class LatentColumn
{
    private const string Annotation = "LatentSpace";

    /// <summary>A new column.</summary>
    public static Columns.OutputColumn Create(string name, LatentSpace space, StyleGan2Generator generator)
    {
        var builder = new DataViewSchema.Annotations.Builder();
        ValueGetter<ReadOnlyMemory<char>> getter = (ref ReadOnlyMemory<char> value) => value = space.ToString().AsMemory();
        builder.Add(Annotation, TextDataViewType.Instance, getter);
        var type = space == LatentSpace.WPlus
            ? new VectorDataViewType(NumberDataViewType.Single, generator.StyleCount, generator.StyleWidth)
            : new VectorDataViewType(NumberDataViewType.Single, Width(space, generator));
        return new Columns.OutputColumn(name, type, builder.ToAnnotations());
    }

    /// <summary>How many numbers a vector has.</summary>
    public static int Width(LatentSpace space, StyleGan2Generator generator) => space switch
    {
        LatentSpace.Z => generator.LatentWidth,
        LatentSpace.W => generator.StyleWidth,
        _ => generator.StyleCount * generator.StyleWidth,
    };

    /// <summary>What the annotation says; null where there is none.</summary>
    public static LatentSpace? SpaceOf(DataViewSchema.Column column)
    {
        if (column.Annotations.Schema.GetColumnOrNull(Annotation) is not { Type: TextDataViewType })
            return null;
        ReadOnlyMemory<char> value = default;
        column.Annotations.GetValue(Annotation, ref value);
        return Enum.TryParse<LatentSpace>(value.Span, out var space) ? space : null;
    }
}
