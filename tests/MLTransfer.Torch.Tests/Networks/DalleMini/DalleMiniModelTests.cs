using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using MLTransfer.Torch.Networks.DalleMini;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.DalleMini;

/// <summary>A DALL-E mini as an object: captions, writing, adapters, codecs, disposal.</summary>
public sealed class DalleMiniModelTests : IDisposable
{
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly DalleMiniModel _model = TinyDalleMini.Load();

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Captions_are_padded_and_long_ones_keep_their_end()
    {
        Assert.Equal([0, 7, 2, .. Enumerable.Repeat(1, 13)], _model.PadCaption([0, 7, 2]));
        Assert.Equal([0, 7, 2, .. Enumerable.Repeat(1, 13)], _model.PadCaption([0, 7, 2, .. Enumerable.Repeat(1, 30)]));
        Assert.Equal([0, 2, .. Enumerable.Repeat(1, 14)], _model.PadCaption([]));
        int[] words = [0, .. Enumerable.Repeat(9, 40), 2];
        Assert.Equal([0, .. Enumerable.Repeat(9, 14), 2], _model.PadCaption(words));
        Assert.Contains("360", Assert.Throws<ArgumentException>(() => _model.PadCaption([0, 360, 2])).Message, StringComparison.Ordinal);
        Assert.Contains("padding", Assert.Throws<ArgumentException>(() => _model.PadCaption([0, 1, 2])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_is_what_the_forward_pass_says_and_a_row_does_not_depend_on_the_others()
    {
        using var gradients = no_grad();
        int[][] captions = [_model.PadCaption([0, 51, 101, 24, 2]), _model.PadCaption(null), _model.PadCaption([0, 133, 45, 36, 67, 2])];
        var codes = randint(0, 48, [3, 16], generator: new Generator(8), dtype: ScalarType.Int64);
        var text = tensor(captions.SelectMany(row => row).Select(id => (long)id).ToArray(), [3, 16]);
        var expected = _model.Forward(text, codes);
        var before = (_model.Transformer.FastSteps, _model.Transformer.EncoderPasses);
        var together = Logits(captions, [0, 1, 2]);
        Assert.Equal((before.FastSteps + 16, before.EncoderPasses + 3), (_model.Transformer.FastSteps, _model.Transformer.EncoderPasses));
        for (var row = 0; row < 3; row++)
        {
            Assert.Equal(together[row], Logits([captions[row]], [row])[0]);
            for (var place = 0; place < 16; place++)
                Assert.InRange(TinyDalleMini.Distance(
                    expected[row, place].narrow(0, 0, 48), tensor(together[row][place])), 0, 2e-5);
        }

        float[][][] Logits(int[][] texts, int[] rows)
        {
            using var writer = _model.CreateWriter(texts);
            var result = rows.Select(_ => new float[16][]).ToArray();
            for (var place = 0; place < 16; place++)
            {
                for (var row = 0; row < rows.Length; row++)
                    result[row][place] = writer.Logits(row).ToArray();
                if (place < 15)
                    writer.Read([.. rows.Select(row => (int)codes[row, place].item<long>())]);
            }

            return result;
        }
    }

    [Fact]
    public void Equal_captions_are_read_once_and_more_rows_than_kernels_take_are_written_too()
    {
        var before = _model.Transformer.EncoderPasses;
        using var few = _model.CreateWriter([_model.PadCaption([0, 51, 2])]);
        using var many = _model.CreateWriter([.. Enumerable.Repeat(_model.PadCaption([0, 51, 2]), 20)]);
        Assert.Equal(before + 2, _model.Transformer.EncoderPasses);
        few.Read([5]);
        many.Read([.. Enumerable.Repeat(5, 20)]);
        Assert.InRange(TinyDalleMini.Distance(tensor(few.Logits(0).ToArray()), tensor(many.Logits(19).ToArray())), 0, 2e-5);
        _model.train();
        Assert.Contains("eval()", Assert.Throws<InvalidOperationException>(
            () => _model.CreateWriter([_model.PadCaption(null)])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Adapters_are_on_the_attention_and_alone_are_trained()
    {
        var (text, codes) = Batch();
        var before = _model.ComputeFingerprint();
        LowRankAdaptation.Attach(_model, new LoraOptions { Rank = 2, TrainedTokens = [51] }, seed: 5);
        var layers = _model.AdaptedLayers().Select(layer => layer.Name).ToList();
        Assert.Equal(2 * 2 + 3 * 4, layers.Count);
        Assert.Contains("model.decoder.layers.2.encoder_attn.v_proj", layers);
        Assert.Same(_model.Lora, _model.Transformer.Lora);
        _model.train();
        var (loss, _) = _model.RowLosses(text, codes);
        Assert.Equal([1], loss.shape);
        loss.mean().backward();
        Assert.All(_model.TrainableParameters(), p => Assert.NotNull(p.Parameter.grad));
        Assert.Equal(2 * layers.Count + 1, _model.TrainableParameters().Count());
        Assert.All(_model.named_parameters().Where(p => !p.parameter.requires_grad), p => Assert.Null(p.parameter.grad));
        _model.eval();
        Assert.Equal(before, _model.ComputeFingerprint());
        using var copy = _model.Copy();
        Assert.Null(copy.Lora);
        Assert.Equal(before, copy.ComputeFingerprint());
    }

    [Fact]
    public void A_saved_adapter_gives_the_same_logits_in_another_model()
    {
        using var gradients = no_grad();
        var (text, codes) = Batch();
        var plain = _model.Forward(text, codes);
        LowRankAdaptation.Attach(_model, new LoraOptions { Rank = 2 }, seed: 5);
        foreach (var (_, parameter) in _model.AdapterParameters())
            parameter.copy_(randn(parameter.shape, generator: new Generator(4)) * 0.3);
        using var folder = new TemporaryFolder();
        PeftAdapterFolder.Save(_model, folder.Path);
        using var other = TinyDalleMini.Load();
        PeftAdapterFolder.Load(other, folder.Path);
        var adapted = _model.Forward(text, codes);
        Assert.True(TinyDalleMini.Distance(plain, adapted) > 0.01);
        Assert.Equal(0, TinyDalleMini.Distance(adapted, other.Forward(text, codes)));
        using var writer = other.CreateWriter([_model.PadCaption([0, 51, 101, 2])]); // the decoding step has adapters too
        Assert.InRange(TinyDalleMini.Distance(adapted[0, 0].narrow(0, 0, 48), tensor(writer.Logits(0).ToArray())), 0, 2e-5);
        LowRankAdaptation.Merge(other);
        Assert.InRange(TinyDalleMini.Distance(adapted, other.Forward(text, codes)), 0, 5e-4);
    }

    [Fact]
    public void Captions_and_codes_of_other_shapes_are_refused()
    {
        var (text, codes) = Batch();
        foreach (var (captions, pictures) in new[]
        {
            (text[0], codes), (text.to(ScalarType.Int32), codes), (text, codes.to(ScalarType.Float32)), (text, cat([codes, codes], 1)),
            (cat([text, text], 1), codes), (text, cat([codes, codes], 0)), (text, codes.narrow(1, 0, 0)),
        })
            Assert.Throws<ArgumentException>(() => _model.Forward(captions, pictures));
    }

    [Fact]
    public void The_codec_is_frozen_and_its_weights_are_no_layers_for_adapters()
    {
        Assert.All(_model.named_parameters().Where(p => p.name.StartsWith("detoker.", StringComparison.Ordinal)),
            p => Assert.False(p.parameter.requires_grad));
        Assert.All(_model.TrainableParameters(), p => Assert.StartsWith("model.", p.Name, StringComparison.Ordinal));
        Assert.True(_model.IsEmbedding("detoker.embedding.weight") && _model.IsEmbedding("model.encoder.embed_positions.weight"));
        Assert.True(_model.IsOutputHead("model.decoder.lm_head"));
        Assert.False(_model.IsShared("model.decoder.embed_tokens.weight"));
        Assert.Equal("model.encoder.layers.0.", _model.BlockPrefixes[0]);
        Assert.Equal(5, _model.BlockPrefixes.Count);
    }

    [Fact]
    public void A_codec_with_an_encoder_takes_the_place_of_the_decoder_and_is_saved_with_the_model()
    {
        using var codec = VqganModel.Create(Codec(), seed: 3);
        var images = rand([1, 3, 8, 8], generator: new Generator(3));
        Assert.False(_model.Codec.CanEncode);
        Assert.Throws<NotSupportedException>(() => _model.Codec.Encode(images));
        _model.AttachCodec(codec);
        Assert.True(_model.Codec.CanEncode);
        var codes = _model.Codec.Encode(images);
        Assert.True(codes.equal(codec.Encode(images)).all().item<bool>());
        Assert.Equal(codec.Quantizer.TableName, Assert.Single(
            _model.named_parameters(), p => p.name.StartsWith("detoker.quantize", StringComparison.Ordinal)).name["detoker.".Length..]);

        using var folder = new TemporaryFolder();
        _model.Save(folder.Path);
        using var loaded = Assert.IsType<DalleMiniModel>(GenerativeNetwork.Load(folder.Path));
        Assert.Equal(_model.ComputeFingerprint(), loaded.ComputeFingerprint());
        Assert.True(loaded.Codec.Decode(codes).equal(codec.Decode(codes)).all().item<bool>());
        using var copy = loaded.Copy();
        Assert.True(copy.Codec.Encode(images).equal(codes).all().item<bool>());
    }

    /// <summary>DALL-E mini's own codec computes with pixels in [0, 1], and its files do not tell.</summary>
    [Fact]
    public void A_codec_with_the_models_own_codewords_takes_pixels_as_the_models_does()
    {
        using var gradients = no_grad();
        using var whole = VqganModel.Create(Codec(), seed: 3);
        var own = _model.CheckpointTensors().ToDictionary();
        foreach (var (name, weight) in whole.CheckpointTensors())
        {
            if (own.TryGetValue("detoker." + name.Replace("quantize.", "", StringComparison.Ordinal), out var stored))
                weight.copy_(stored.to(ScalarType.Float16)); // as last.ckpt may have them
        }

        var codes = randint(0, 48, [1, 16], generator: new Generator(8), dtype: ScalarType.Int64);
        _model.AttachCodec(whole);
        var expected = whole.Reconstruct(whole.Quantizer.Look(codes, rows: 4)).clamp(0, 1);
        Assert.True(expected.equal(_model.Codec.Decode(codes)).all().item<bool>());
        var images = rand([1, 3, 8, 8], generator: new Generator(3));
        Assert.True(_model.Codec.Encode(images).equal(whole.Encode((images + 1) / 2)).all().item<bool>());
    }

    [Fact]
    public void A_codec_of_other_codes_is_refused()
    {
        using var other = VqganModel.Create(Codec(codebook: 47), seed: 3);
        Assert.Contains("47", Assert.Throws<ArgumentException>(() => _model.AttachCodec(other)).Message, StringComparison.Ordinal);
        using var larger = VqganModel.Create(Codec(resolution: 16), seed: 3);
        Assert.Contains("8 x 8", Assert.Throws<ArgumentException>(() => _model.AttachCodec(larger)).Message, StringComparison.Ordinal);
        using var second = TinyDalleMini.Load();
        Assert.Contains("encoder", Assert.Throws<ArgumentException>(
            () => _model.AttachCodec((VqganModel)second.Codec)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Further_words_have_the_mean_of_the_known_ones_and_change_nothing_else()
    {
        using var gradients = no_grad();
        using var grown = _model.WithTokens(known: 350, size: 365);
        Assert.Equal(365, grown.TextVocabularySize);
        var (old, now) = (_model.TokenTable!.Weight, grown.TokenTable!.Weight);
        Assert.Equal(0, TinyDalleMini.Distance(old.narrow(0, 0, 350), now.narrow(0, 0, 350)));
        Assert.InRange(TinyDalleMini.Distance(old.narrow(0, 0, 350).mean([0]), now[364]), 0, 1e-6);
        var (text, codes) = Batch();
        Assert.Equal(0, TinyDalleMini.Distance(_model.Forward(text, codes), grown.Forward(text, codes)));
        Assert.Throws<ArgumentOutOfRangeException>(() => _model.WithTokens(known: 361, size: 370));
    }

    [Fact]
    public void Words_start_from_the_mean_of_their_pieces()
    {
        using var gradients = no_grad();
        using var grown = ((TextToImageModel)_model).WithTokens(known: 360, [[51, 101], []]);
        var (old, now) = (_model.TokenTable!.Weight, grown.TokenTable!.Weight);
        Assert.Equal(362, grown.TextVocabularySize);
        Assert.Equal(0, TinyDalleMini.Distance(old, now.narrow(0, 0, 360)));
        Assert.InRange(TinyDalleMini.Distance((old[51] + old[101]) / 2, now[360]), 0, 1e-7);
        Assert.InRange(TinyDalleMini.Distance(old.mean([0]), now[361]), 0, 1e-6);
    }

    [Fact]
    public void A_writer_goes_on_after_the_model_is_disposed_while_it_is_held_and_no_call_begins_after()
    {
        using var model = TinyDalleMini.Load();
        using (model.Hold())
        {
            using var writer = model.CreateWriter([model.PadCaption(null)]);
            model.Dispose();
            writer.Read([3]);
            Assert.All(writer.Logits(0).ToArray(), logit => Assert.True(float.IsFinite(logit)));
        }

        Assert.Throws<ObjectDisposedException>(() => model.CreateWriter([model.PadCaption(null)]));
        Assert.Throws<ObjectDisposedException>(() => model.Codec.Decode(zeros([1, 16], ScalarType.Int64)));
        Assert.Throws<ObjectDisposedException>(() => model.CheckpointTensors());
    }

    private (Tensor Text, Tensor Codes) Batch() => (
        tensor(_model.PadCaption([0, 51, 101, 2]).Select(id => (long)id).ToArray(), [1, 16]), zeros([1, 16], ScalarType.Int64));

    private static JsonObject Codec(int codebook = 48, int resolution = 8) =>
        VqganModel.Configure(resolution, codebook, codewordWidth: 16, channels: 32, [2, 1], residualBlocks: 2, attentionResolutions: [4]);
}
