using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Generation.Music;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.MusicGen;

/// <summary>Teacher-forced passes of the reference stack.</summary>
public class MusicGenReferenceTests
{
    [Theory]
    [InlineData(TinyMusic.Mono)]
    [InlineData(TinyMusic.Stereo)]
    public void Captions_and_logits_equal_the_reference(string name)
    {
        using var music = new TinyMusic(name);
        using var file = music.Tensors("forward.safetensors");
        AssertForward(music.Model, file);
    }

    [Fact]
    public void Older_names_give_the_same_model()
    {
        using var model = MusicGenModel.Load(Path.Combine(TinyMusic.FolderOf(TinyMusic.Mono), "hub_names"));
        using var music = new TinyMusic(TinyMusic.Mono);
        Assert.Equal(music.Model.ComputeFingerprint(), model.ComputeFingerprint());
    }

    [Theory]
    [InlineData(TinyMusic.Mono)]
    [InlineData(TinyMusic.Stereo)]
    [InlineData("musicgen-tiny")]
    public void A_saved_model_has_the_names_shapes_and_values_that_the_reference_has(string name)
    {
        using var folder = new TemporaryFolder();
        using var model = (MusicGenModel)GenerativeNetwork.Load(TinyMusic.FolderOf(name));
        model.Save(folder.Path);
        using var saved = SafetensorsFile.Open(folder["model.safetensors"]);
        using var reference = SafetensorsFile.Open(Path.Combine(TinyMusic.FolderOf(name), "model.safetensors"));
        Assert.Equal(reference.Tensors.Keys.Order(StringComparer.Ordinal), saved.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.All(reference.Tensors.Keys, tensor =>
        {
            using var scope = NewDisposeScope();
            Assert.True(saved.Read(tensor).Equals(reference.Read(tensor)), tensor);
        });
        using var again = MusicGenModel.Load(folder.Path);
        Assert.Equal(model.ComputeFingerprint(), again.ComputeFingerprint());
        Assert.Equal(model.StartId, again.StartId);
        Assert.Equal(
            MusicGenerationOptions.FromPretrained(TinyMusic.FolderOf(name)), MusicGenerationOptions.FromPretrained(folder.Path));
    }

    [Fact]
    public void The_decoder_and_the_projection_are_trainable_and_nothing_else_is()
    {
        using var music = new TinyMusic(TinyMusic.Mono);
        using var final = music.Tensors("training.final.safetensors");
        Assert.Equal(
            final.Tensors.Keys.Order(StringComparer.Ordinal),
            music.Model.TrainableParameters().Select(p => p.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void All_but_the_last_blocks_of_the_decoder_are_frozen()
    {
        using var music = new TinyMusic(TinyMusic.Mono);
        ParameterFreezing.FreezeAllButLastBlocks(music.Model, 1);
        var trained = music.Model.TrainableParameters().Select(p => p.Name).ToList();
        Assert.DoesNotContain(trained, name => name.Contains("layers.0.", StringComparison.Ordinal));
        Assert.DoesNotContain(trained, name => name.Contains("embed_tokens", StringComparison.Ordinal));
        Assert.Contains("enc_to_dec_proj.weight", trained);
        Assert.Contains("decoder.model.decoder.layers.1.fc1.weight", trained);
        Assert.Contains("decoder.lm_heads.3.weight", trained);
    }

    [Fact]
    public void A_dropped_caption_adds_nothing_whatever_its_tokens_are()
    {
        using var music = new TinyMusic(TinyMusic.Mono);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var mask = zeros([1, 3], ScalarType.Int64);
        var codes = randint(0, 64, [1, 4, 5], dtype: ScalarType.Int64);
        using var one = music.Model.Encode(new ModelInput(tensor([7L, 8, 9]).unsqueeze(0)) { AttentionMask = mask });
        using var other = music.Model.Encode(new ModelInput(tensor([100L, 20, 1]).unsqueeze(0)) { AttentionMask = mask });
        Assert.Equal(0, TinyMusic.Distance(music.Model.Forward(codes, one), music.Model.Forward(codes, other)));
    }

    private static void AssertForward(MusicGenModel model, SafetensorsFile file)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var input = new ModelInput(file.Read("input_ids")) { AttentionMask = file.Read("attention_mask") };
        var real = input.AttentionMask!.unsqueeze(-1); // padding, and a dropped caption, reach no decoder
        var text = model.TextEncoder.ComputeHiddenStates(input) * real;
        Assert.True(TinyMusic.Distance(text, file.Read("text_hidden_states") * real) < 1e-4);
        using var captions = model.Encode(input);
        Assert.True(TinyMusic.Distance(captions.HiddenStates, file.Read("encoder_hidden_states")) < 1e-4);

        var ids = file.Read("decoder_input_ids");                                      // [batch x codebooks, length]
        var codes = ids.view(-1, model.Codebooks, ids.shape[1]);
        var logits = model.Forward(codes, captions);                                   // [batch, codebooks, length, codes]
        var distance = TinyMusic.Distance(logits.view(ids.shape[0], ids.shape[1], -1), file.Read("logits"));
        Assert.True(distance < 1e-4, $"logits differ by {distance}");
    }
}
