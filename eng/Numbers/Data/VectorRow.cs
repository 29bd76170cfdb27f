using Microsoft.ML;
using Microsoft.ML.Data;
using Numbers.Groups;

namespace Numbers.Data;

internal sealed class VectorRow
{
    [VectorType(3 * 8 * 8)]
    public float[] Values { get; set; } = [];

    public float[] Label { get; set; } = [];

    /// <summary>Rows of random values with a class each, in a view whose label has a known size.</summary>
    public static IDataView View(MLContext ml, int count, int classes)
    {
        var (inputs, targets) = NetworkNumbers.Rows(count, classes, seed: 1, isClass: true);
        var schema = SchemaDefinition.Create(typeof(VectorRow));
        schema[nameof(Label)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, classes);
        return ml.Data.LoadFromEnumerable(
            inputs.Zip(targets, (values, label) => new VectorRow { Values = values, Label = label }).ToList(), schema);
    }
}
