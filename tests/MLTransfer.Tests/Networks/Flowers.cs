using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer.Tests.Networks;

/// <summary>Four measures of a flower, and of which of three kinds it is, in several ways.</summary>
internal sealed class Flower
{
    [VectorType(4)]
    public float[] Measures { get; set; } = [];

    public string Kind { get; set; } = "";

    public int Number { get; set; }

    public float Price { get; set; }

    public bool IsRose { get; set; }

    /// <summary>Flowers by a fixed generator, whose kinds lie apart.</summary>
    public static IDataView Load(MLContext ml, int count = 60)
    {
        var random = new Random(3);
        string[] kinds = ["rose", "lily, white", "tulip"];
        return ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new Flower
        {
            Measures = [.. Enumerable.Range(0, 4).Select(j => (float)(random.NextDouble() - 0.5 + (j == i % 3 ? 2 : 0)))],
            Kind = kinds[i % 3],
            Number = 10 * (3 - i % 3),
            Price = 1.1f + i % 3,
            IsRose = i % 3 == 0,
        }).ToList());
    }
}
