using System.Text.Json;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Tests.Images;
using Xunit;

namespace MLTransfer.Tests.Persistence;

/// <summary>Model files under tests/data/zips that version 0.1 wrote, with what that version made of them.</summary>
public class OldModelFileTests
{
    private readonly MLContext _ml = new(seed: 1);

    [Fact]
    public void Text_zip_of_version_0_1_loads_and_writes_the_same_text()
    {
        var expected = Expected("text-0.1");

        var view = Load("text-0.1").Transform(Stories(expected));

        Assert.Equal(expected.Texts, view.GetColumn<string>("Continuation"));
        Assert.Equal(expected.Ids, view.GetColumn<int[]>("Ids"));
        Assert.All(view.GetColumn<float[]>("Scores").Zip(expected.Ids), row => Assert.Equal(row.Second.Length, row.First.Length));
    }

    [Fact]
    public void Text_zip_of_version_0_1_with_adapters_alone_loads_and_writes_the_same_text()
    {
        var expected = Expected("text-adapter-0.1");

        Assert.Equal(expected.Texts, Load("text-adapter-0.1").Transform(Stories(expected)).GetColumn<string>("Continuation"));
    }

    [Fact]
    public void Image_zip_of_version_0_1_loads_and_makes_the_same_pictures()
    {
        var expected = Expected("image-0.1");
        var rows = _ml.Data.LoadFromEnumerable(expected.Numbers.Select(number => new Story { Number = number }));

        var pictures = TinyGenerator.Pixels(Load("image-0.1").Transform(rows));

        Assert.Equal(expected.Pictures.Length, pictures.Count);
        Assert.All(expected.Pictures.Zip(pictures), pair => Assert.InRange(TinyGenerator.Difference(pair.First, pair.Second), 0, 1));
    }

    [Fact]
    public void Network_zip_of_version_0_1_loads_and_gives_the_same_values()
    {
        var expected = Expected("network-0.1");
        var rows = _ml.Data.LoadFromEnumerable(expected.Values.Select(values => new Three { Values = values }));

        var found = Load("network-0.1").Transform(rows).GetColumn<float[]>("Out").ToList();

        Assert.Equal(expected.Outputs.Length, found.Count);
        Assert.All(expected.Outputs.Zip(found),
            row => Assert.All(row.First.Zip(row.Second), pair => Assert.Equal(pair.First, pair.Second, 1e-5f)));
    }

    private ITransformer Load(string name) => _ml.Model.Load(RepositoryFiles.Data($"zips/{name}.zip"), out _);

    private static Made Expected(string name) =>
        JsonSerializer.Deserialize<Made>(File.ReadAllText(RepositoryFiles.Data($"zips/{name}.json")))!;

    private IDataView Stories(Made expected) =>
        _ml.Data.LoadFromEnumerable(expected.Prompts.Select(prompt => new Story { Opening = prompt }));

    /// <summary>What version 0.1 was given and made.</summary>
    private sealed record Made
    {
        public string[] Prompts { get; init; } = [];

        public string[] Texts { get; init; } = [];

        public int[][] Ids { get; init; } = [];

        public float[] Numbers { get; init; } = [];

        public byte[][] Pictures { get; init; } = [];

        public float[][] Values { get; init; } = [];

        public float[][] Outputs { get; init; } = [];
    }

    private sealed class Three
    {
        [VectorType(3)]
        public float[] Values { get; set; } = [];
    }
}
