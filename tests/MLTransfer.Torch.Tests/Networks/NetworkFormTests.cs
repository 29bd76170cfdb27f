using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Networks.Codecs.DiscreteVae;
using MLTransfer.Torch.Networks.Codecs.EnCodec;
using MLTransfer.Torch.Networks.Dalle;
using MLTransfer.Torch.Networks.Codecs.Vqgan;
using MLTransfer.Torch.Networks.DalleMini;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Networks.Transformers;
using Xunit;

namespace MLTransfer.Torch.Tests.Networks;

/// <summary>A folder's content tells what it holds.</summary>
public class NetworkFormTests
{
    [Theory]
    [InlineData("gpt2-tiny", typeof(CausalLanguageModel))]
    [InlineData("families/bert-tiny", typeof(MaskedLanguageModel))]
    [InlineData("families/t5-tiny", typeof(EncoderDecoderModel))]
    [InlineData("families/min-dalle-tiny", typeof(EncoderDecoderModel))] // two files of weights
    [InlineData("stylegan2-tiny", typeof(StyleGan2Model))]
    [InlineData("codecs/encodec-24khz-tiny", typeof(EnCodecModel))]
    [InlineData("images/dalle-transformer-tiny", typeof(DalleModel))]
    [InlineData("images/dalle-dvae-tiny", typeof(DiscreteVaeModel))] // two files of weights
    [InlineData("images/discrete-vae-tiny", typeof(DiscreteVaeModel))]
    [InlineData("images/vqgan-tiny", typeof(VqganModel))]
    [InlineData("images/min-dalle-tiny", typeof(DalleMiniModel))]
    public void A_folder_is_loaded_as_what_it_holds(string folder, Type expected)
    {
        using var network = GenerativeNetwork.Load(RepositoryFiles.Data(folder));
        Assert.IsType(expected, network);
        Assert.False(network.training);
        Assert.NotEmpty(network.BlockPrefixes);
        Assert.NotEmpty(network.TrainableParameters());
        Assert.Equal(64, network.ComputeFingerprint().Length);
    }

    [Fact]
    public void A_folder_of_something_else_is_refused_with_the_forms_that_are_known()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], "{}");
        var error = Assert.Throws<FileNotFoundException>(() => GenerativeNetwork.Load(folder.Path));
        Assert.Contains("model_type", error.Message, StringComparison.Ordinal);
        Assert.Contains(StyleGan2Model.GeneratorFile, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_class_that_a_family_does_not_have_is_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], """{ "model_type": "gpt2", "architectures": ["GPT2ForTokenClassification"] }""");
        File.Copy(RepositoryFiles.Data("gpt2-tiny/model.safetensors"), folder["model.safetensors"]);
        var error = Assert.Throws<NotSupportedException>(() => GenerativeNetwork.Load(folder.Path));
        Assert.Contains("GPT2ForTokenClassification", error.Message, StringComparison.Ordinal);
        Assert.Contains("GPT2LMHeadModel", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Freezing_works_on_an_image_network_and_adapters_without_a_layer_for_them_are_refused()
    {
        using var network = GenerativeNetwork.Load(RepositoryFiles.Data("stylegan2-tiny"));
        ParameterFreezing.FreezeByName(network, "discriminator.*");
        Assert.All(network.TrainableParameters(), p => Assert.StartsWith("generator.", p.Name, StringComparison.Ordinal));
        Assert.Contains("linear", Assert.Throws<ArgumentException>(
            () => LowRankAdaptation.Attach(network, new LoraOptions(), seed: 1)).Message, StringComparison.Ordinal);
    }
}
