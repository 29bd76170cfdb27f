using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Training.LatentProjection;
using Microsoft.ML;
using Microsoft.ML.Data;
using Xunit;

namespace MLTransfer.Tests.Images;

/// <summary>Pictures drawn from styles: what is mixed, interpolated, truncated and moved.</summary>
public sealed class StyleSpaceTests : IDisposable
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly TemporaryFolder _folder = new();
    private readonly string _tiny;
    private readonly ImageGeneratorTransformer _painter;
    private readonly StyleSpace _space;

    public StyleSpaceTests()
    {
        _tiny = TinyGenerator.Save(_folder);
        _painter = _ml.Transforms.GenerateImages("Picture", "Seed", _tiny).Fit(TinyGenerator.Seeds(_ml, 1));
        _space = _ml.Generation.GetStyleSpace(_painter);
    }

    public void Dispose()
    {
        _painter.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void The_style_of_a_seed_gives_its_picture()
    {
        var expected = TinyGenerator.Pixels(_painter.Transform(TinyGenerator.Seeds(_ml, 3)));

        var styles = Enumerable.Range(0, 3).Select(seed => _space.FromSeed(seed)).ToList();

        Assert.Equal((6, 16), (_space.LayerCount, _space.Width));
        AssertNear(expected, Draw(new() { LatentSpace = LatentSpace.W }, styles));
        AssertNear(expected, Draw(new(), [.. styles.Select(style => _space.ToLayers(style))])); // as long as W+: it needs no name
        Assert.NotEqual(expected, Draw(new(), styles)); // as long as z: taken for it
    }

    [Fact]
    public void Truncation_of_the_options_is_that_of_the_styles()
    {
        var seeds = TinyGenerator.Seeds(_ml, 2);
        using var typical = _ml.Transforms.GenerateImages("Picture", "Seed", _tiny, new() { Truncation = 0.5 }).Fit(seeds);
        List<float[]> styles = [_space.FromSeed(0), _space.FromSeed(1)];

        var expected = TinyGenerator.Pixels(typical.Transform(seeds));

        AssertNear(expected, Draw(new() { LatentSpace = LatentSpace.W, Truncation = 0.5 }, styles));
        AssertNear(expected, Draw(new() { LatentSpace = LatentSpace.W }, [.. styles.Select(style => _space.Truncate(style, 0.5))]));
        // Of the first two layers alone.
        var partly = _space.Truncate(styles[0], 0, [0, 1]);
        Assert.Equal(_space.ToLayers([.. _space.Mean!])[..32], partly[..32]);
        Assert.Equal(_space.ToLayers(styles[0])[32..], partly[32..]);
    }

    [Fact]
    public void Mixing_takes_layers_of_another_picture_and_interpolation_the_line_between_both()
    {
        var (first, second) = (_space.FromSeed(0), _space.FromSeed(1));

        var mixed = _space.Mix(first, second, [4, 5]);
        var half = _space.Interpolate(first, second, 0.5);

        Assert.Equal((string[])[.. Enumerable.Repeat("first", 4), "second", "second"], Enumerable.Range(0, 6).Select(layer =>
            mixed.AsSpan(layer * 16, 16).SequenceEqual(first) ? "first"
            : mixed.AsSpan(layer * 16, 16).SequenceEqual(second) ? "second" : "neither"));
        var pictures = Draw(new(), [mixed, _space.ToLayers(first), _space.ToLayers(second)]);
        Assert.NotEqual(pictures[0], pictures[1]);
        Assert.NotEqual(pictures[0], pictures[2]);
        Assert.All(Enumerable.Range(0, 16), i => Assert.Equal((first[i] + second[i]) / 2, half[i], 1e-6f));
        Assert.Equal(first, _space.Interpolate(first, second, 0));
        Assert.All(second.Zip(_space.Interpolate(first, second, 1)), pair => Assert.Equal(pair.First, pair.Second, 1e-5f));
        Assert.Equal(96, _space.Interpolate(mixed, second, 0.5).Length);
    }

    [Fact]
    public void A_direction_learned_from_labels_changes_what_they_tell()
    {
        var styles = Enumerable.Range(0, 150).Select(seed => _space.FromSeed(seed)).ToList();
        var red = Draw(new() { LatentSpace = LatentSpace.W }, styles).Select(Redness).ToList();
        var middle = red.Order().ElementAt(75);
        var data = _ml.Data.LoadFromEnumerable(styles.Zip(red, (style, value) =>
            new LabelledLatent { Latent = style, Red = (float)value, IsRed = value > middle }));

        var number = _ml.Generation.LearnDirection(data, "Latent", "Red");
        var classes = _ml.Generation.LearnDirection(data, "Latent", "IsRed");

        Assert.InRange(number.Score, 0.3, 1); // the network is not linear
        Assert.InRange(classes.Score, 0.65, 1);
        foreach (var direction in (LatentDirection[])[number, classes])
        {
            var moved = ((double[])[-0.5, 0, 0.5]).Select(distance => Draw(
                new() { LatentSpace = LatentSpace.W },
                [.. styles.Take(30).Select(style => _space.Move(style, direction, distance))]).Average(Redness)).ToList();
            Assert.True(moved[0] < moved[1] && moved[1] < moved[2], string.Join(", ", moved));
        }

        // Of some layers alone it is W+.
        var late = _space.Move(styles[0], number, 1, [5]);
        Assert.Equal(_space.ToLayers(styles[0])[..80], late[..80]);
        Assert.NotEqual(_space.ToLayers(styles[0])[80..], late[80..]);
    }

    [Fact]
    public void A_conditional_model_draws_from_styles_without_labels()
    {
        using var other = new TemporaryFolder();
        var conditional = TinyGenerator.Save(other, classes: 3);
        var rows = _ml.Data.LoadFromEnumerable([new LatentRow { Latent = _space.FromSeed(0) }]);

        using var painter = _ml.Transforms.GenerateImages("Picture", "Latent", conditional, new() { LatentSpace = LatentSpace.W })
            .Fit(rows);
        _ml.Generation.Save(painter, rows.Schema, _folder["styles.zip"]);
        using var loaded = (IDisposable)_ml.Model.Load(_folder["styles.zip"], out _);

        Assert.Equal(TinyGenerator.Pixels(painter.Transform(rows)), TinyGenerator.Pixels(((ITransformer)loaded).Transform(rows)));
        Assert.Contains("LatentSpace", Assert.Throws<ArgumentException>(
            () => _ml.Transforms.GenerateImages("Picture", "Latent", conditional).Fit(rows)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Vectors_layers_and_labels_that_do_not_fit_are_refused_by_name()
    {
        var style = _space.FromSeed(0);
        var rows = _ml.Data.LoadFromEnumerable([new LatentRow { Latent = style }]);

        Assert.Contains("96 of 6 layers", Assert.Throws<ArgumentException>(() => _space.ToLayers(new float[17])).Message);
        Assert.Contains("0 to 5", Assert.Throws<ArgumentOutOfRangeException>(() => _space.Mix(style, style, [6])).Message);
        Assert.Contains("16 values; the model takes 96 of LatentSpace.WPlus", Assert.Throws<ArgumentException>(
            () => _ml.Transforms.GenerateImages("Picture", "Latent", _tiny, new() { LatentSpace = LatentSpace.WPlus }).Fit(rows)).Message);
        Assert.Contains("has seeds, but LatentSpace is W", Assert.Throws<ArgumentException>(() => _ml.Transforms.GenerateImages(
            "Picture", "Seed", _tiny, new() { LatentSpace = LatentSpace.W }).Fit(TinyGenerator.Seeds(_ml, 1))).Message);
        Assert.Contains("label column 'Latent'", Assert.Throws<ArgumentException>(
            () => _ml.Generation.LearnDirection(rows, "Latent", "Latent")).Message);
        Assert.Contains("no image generator", Assert.Throws<ArgumentException>(
            () => _ml.Generation.GetStyleSpace(_ml.Transforms.CopyColumns("Copy", "Latent").Fit(rows))).Message);
    }

    private List<byte[]> Draw(GenerateImagesOptions options, List<float[]> latents)
    {
        var definition = SchemaDefinition.Create(typeof(LatentRow));
        definition["Latent"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, latents[0].Length);
        var rows = _ml.Data.LoadFromEnumerable(latents.Select(latent => new LatentRow { Latent = latent }), definition);
        using var painter = _ml.Transforms.GenerateImages("Picture", "Latent", _tiny, options).Fit(rows);
        return TinyGenerator.Pixels(painter.Transform(rows));
    }

    private static double Redness(byte[] picture) => picture.Where((_, i) => i % 4 == 0).Average(value => (double)value)
        - picture.Where((_, i) => i % 4 is 1 or 2).Average(value => (double)value);

    private static void AssertNear(List<byte[]> expected, List<byte[]> found) =>
        Assert.All(expected.Zip(found), pair => Assert.InRange(TinyGenerator.Difference(pair.First, pair.Second), 0, 1));

    private sealed class LabelledLatent
    {
        [VectorType(TinyGenerator.LatentWidth)]
        public float[] Latent { get; set; } = [];

        public float Red { get; set; }

        public bool IsRed { get; set; }
    }
}
