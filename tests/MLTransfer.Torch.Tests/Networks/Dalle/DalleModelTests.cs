using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Dalle;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Dalle;

/// <summary>New models, adapters, freezing, and rows that do not know of each other.</summary>
public class DalleModelTests
{
    private static readonly JsonObject s_codec = new()
    {
        ["image_size"] = 8, ["num_layers"] = 1, ["num_tokens"] = 16, ["codebook_dim"] = 4, ["hidden_dim"] = 4,
    };

    [Theory]
    [InlineData(TinyDalle.Plain)]
    [InlineData(TinyDalle.Rotary)]
    [InlineData(TinyDalle.Reversible)]
    public void A_row_gets_the_same_bits_alone_and_beside_others(string name)
    {
        using var model = TinyDalle.Load(name);
        var random = new Random(3);
        var texts = Enumerable.Range(0, 19).Select(row => model.PadCaption(row == 7 ? null
            : [.. Enumerable.Range(0, 1 + row % 10).Select(_ => random.Next(1, 40))])).ToList();
        texts[18] = texts[2]; // read once for both
        var codes = Enumerable.Range(0, 19).Select(_ => Enumerable.Range(0, 63).Select(_ => random.Next(32)).ToArray()).ToList();
        using var all = model.CreateWriter(texts);
        int[] alone = [2, 7, 16, 18];
        var writers = alone.Select(row => model.CreateWriter([texts[row]])).ToList();
        for (var place = 0; place < 40; place++)
        {
            foreach (var (writer, row) in writers.Zip(alone))
            {
                Assert.True(writer.Logits(0).SequenceEqual(all.Logits(row)), $"row {row}, code {place}");
                writer.Read([codes[row][place]]);
            }

            all.Read([.. codes.Select(row => row[place])]);
        }

        writers.ForEach(writer => writer.Dispose());
    }

    [Fact]
    public void Codes_that_are_none_and_pictures_that_are_full_are_refused()
    {
        using var model = DalleModel.Create(DalleModel.Configure(s_codec, 10, 4, width: 8, depth: 1, heads: 1, headWidth: 8), seed: 1);
        using var writer = model.CreateWriter([model.PadCaption([1, 2, 3, 4, 5, 6])]);
        Assert.Throws<ArgumentException>(() => writer.Read([16]));
        Assert.Throws<ArgumentException>(() => writer.Read([1, 1]));
        for (var place = 0; place < 15; place++)
            writer.Read([place]);
        Assert.Throws<InvalidOperationException>(() => writer.Read([1]));
        Assert.Equal([1, 2, 3, 4], model.PadCaption([1, 2, 3, 4, 5, 6]));
        Assert.Equal([9, 0, 0, 0], model.PadCaption([9]));
        Assert.Contains("token 10", Assert.Throws<ArgumentException>(() => model.PadCaption([10])).Message, StringComparison.Ordinal);
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => writer.Read([1]));
    }

    [Fact]
    public void New_weights_start_as_the_package_starts_them_and_depend_on_the_seed_alone()
    {
        var configuration = DalleModel.Configure(s_codec, 10, 4, width: 16, depth: 26, heads: 1, headWidth: 6);
        using var model = DalleModel.Create(configuration, seed: 5);
        using var same = DalleModel.Create(configuration, seed: 5);
        using var other = DalleModel.Create(configuration, seed: 6);
        Assert.Equal(model.ComputeFingerprint(), same.ComputeFingerprint());
        Assert.NotEqual(model.ComputeFingerprint(), other.ComputeFingerprint());
        using var scope = NewDisposeScope();
        var weights = model.CheckpointTensors().ToDictionary();
        Assert.Equal(0.1f, Scale(17));
        Assert.Equal(1e-5f, Scale(18));
        Assert.Equal(1e-5f, Scale(23));
        Assert.Equal(1e-6f, Scale(24));
        var (inputs, bias) = (weights["to_logits.1.weight"].abs().max().item<float>(), weights["to_logits.1.bias"].abs());
        Assert.InRange(inputs, 0.2, 0.25); // 1 / root of 16
        Assert.InRange(bias.max().item<float>(), 0.15, 0.25);
        Assert.InRange(weights["text_emb.weight"].std().item<float>(), 0.8, 1.2);

        float Scale(int layer) => weights[$"transformer.layers.layers.{layer}.1.scale"].max().item<float>();
    }

    [Fact]
    public void A_model_takes_a_trained_codec_with_it()
    {
        var configuration = new JsonObject { ["architecture"] = "discrete-vae", ["hparams"] = s_codec.DeepClone() };
        var codec = DiscreteVaeModel.Create(configuration, seed: 9);
        var fingerprint = codec.ComputeFingerprint();
        using var model = DalleModel.Create(
            DalleModel.Configure(null, 10, 4, width: 8, depth: 1, heads: 1, headWidth: 8), seed: 1, codec: codec);
        using var folder = new TemporaryFolder();
        model.Save(folder.Path);
        using var again = DalleModel.Load(folder.Path);
        Assert.Equal(fingerprint, again.Codec.ComputeFingerprint());
        Assert.Equal("DiscreteVAE", again.Configuration["vae_class_name"]!.GetValue<string>());
        Assert.All(again.Codec.parameters(), parameter => Assert.False(parameter.requires_grad));
    }

    [Theory]
    [InlineData(TinyDalle.Plain)]
    [InlineData(TinyDalle.Reversible)]
    public void Adapters_are_put_on_the_layers_of_blocks_and_are_written_with(string name)
    {
        using var model = TinyDalle.Load(name);
        LowRankAdaptation.Attach(model, new LoraOptions { Rank = 4, Blocks = [1, 2] }, seed: 1);
        var adapted = model.AdaptedLayers().Select(layer => layer.Name).ToList();
        Assert.Equal(8, adapted.Count);
        Assert.All(adapted, layer => Assert.InRange(DalleNames.LayerOf(layer)!.Value, 1, 2));
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator(4);
        foreach (var (_, parameter) in model.AdapterParameters())
            parameter.copy_(randn(parameter.shape, generator: generator) * 0.3);
        var text = model.PadCaption([3, 4, 5]);
        using var writer = model.CreateWriter([text]);
        using var rereading = new RereadingWriter(model, [text]);
        for (var place = 0; place < 10; place++)
        {
            for (var code = 0; code < model.CodebookSize; code++)
                Assert.Equal(rereading.Logits(0)[code], writer.Logits(0)[code], 1e-3);
            writer.Read([place]);
            rereading.Read([place]);
        }

        LowRankAdaptation.Merge(model);
        using var merged = new RereadingWriter(model, [text]);
        for (var place = 0; place < 10; place++)
            merged.Read([place]);
        for (var code = 0; code < model.CodebookSize; code++)
            Assert.Equal(rereading.Logits(0)[code], merged.Logits(0)[code], 1e-3);
    }

    [Fact]
    public void Rows_of_new_words_are_trained_beside_adapters()
    {
        using var model = TinyDalle.Load(TinyDalle.Plain);
        using var whole = TinyDalle.Load(TinyDalle.Plain);
        using var scope = NewDisposeScope();
        LowRankAdaptation.Attach(model, new LoraOptions { Rank = 2, TrainedTokens = [5, 7, 30] }, seed: 1);
        var (text, codes) = (tensor([7L, 5, 7, 1, 0, 0, 0, 0, 0, 0], [1, 10]), randint(0, 32, [1, 64], ScalarType.Int64));
        foreach (var trained in (DalleModel[])[model, whole])
            trained.ComputeLosses(text, codes).Loss.backward();
        var rows = model.TrainedTokenRows().Single().Rows.Values.grad!;
        var expected = whole.CheckpointTensors().ToDictionary()["text_emb.weight"].grad!.index_select(0, tensor([5L, 7, 30]));
        Assert.True(TinyDalle.Distance(rows, expected) < 1e-6);
        Assert.True(rows[0].abs().max().item<float>() > 0);
    }

    [Fact]
    public void All_but_the_last_blocks_are_frozen_with_the_tables()
    {
        using var model = TinyDalle.Load(TinyDalle.Rotary);
        ParameterFreezing.FreezeAllButLastBlocks(model, 1);
        var trained = model.TrainableParameters().Select(p => p.Name).ToList();
        Assert.Contains("to_logits.1.bias", trained);
        Assert.DoesNotContain("to_logits.1.weight", trained); // tokens are looked up in it
        Assert.Contains("transformer.layers.layers.3.0.scale", trained);
        Assert.DoesNotContain(trained, name => DalleNames.LayerOf(name) is < 3);
        Assert.DoesNotContain(trained, name => name.StartsWith("vae.", StringComparison.Ordinal));
    }

    [Fact]
    public void Dropout_is_at_work_in_training_alone()
    {
        var configuration = TinyDalle.Json(TinyDalle.Plain, "config.json");
        configuration["hparams"]!["attn_dropout"] = 0.4;
        using var first = DalleModel.Create(configuration, seed: 1);
        (configuration["hparams"]!["attn_dropout"], configuration["hparams"]!["ff_dropout"]) = (0, 0.4);
        using var second = DalleModel.Create(configuration, seed: 1);
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var (text, codes) = (zeros(1, 10, ScalarType.Int64), zeros(1, 64, ScalarType.Int64));
        foreach (var model in (DalleModel[])[first, second])
        {
            model.DropoutSource.Generator = generator;
            var once = model.ComputeLosses(text, codes).Loss.item<float>();
            Assert.Equal(once, model.ComputeLosses(text, codes).Loss.item<float>());
            model.train();
            Assert.NotEqual(once, model.ComputeLosses(text, codes).Loss.item<float>());
        }
    }

    [Theory]
    [InlineData(TinyDalle.Plain)]
    [InlineData(TinyDalle.Rotary)]
    [InlineData(TinyDalle.Reversible)]
    public void Products_in_bfloat16_are_close_and_train(string name)
    {
        using var model = TinyDalle.Load(name);
        using var scope = NewDisposeScope();
        var (text, codes) = (ones(2, 10, ScalarType.Int64), randint(0, 32, [2, 64], ScalarType.Int64));
        var expected = model.ComputeLosses(text, codes).Loss.item<float>();
        model.ComputeType = ScalarType.BFloat16;
        var loss = model.ComputeLosses(text, codes).Loss;
        Assert.Equal(expected, loss.item<float>(), 0.02 * expected);
        loss.backward();
        Assert.All(model.TrainableParameters(), p => Assert.Equal(ScalarType.Float32, p.Parameter.grad!.dtype));
        using var narrow = DalleModel.Load(TinyDalle.FolderOf(name), ScalarType.BFloat16);
        Assert.Equal(expected, narrow.ComputeLosses(text, codes).Loss.item<float>(), 0.05 * expected);
        using var writer = narrow.CreateWriter([narrow.PadCaption([1, 2])]);
        writer.Read([3]);
        Assert.True(float.IsFinite(writer.Logits(0)[0]));
    }
}
