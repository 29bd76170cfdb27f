using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.StyleGan2;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.StyleGan2;

/// <summary>What the reference networks compute with the same weights.</summary>
public sealed class StyleGan2ReferenceTests : IDisposable
{
    private readonly StyleGan2Model _model = StyleGan2Model.Load(RepositoryFiles.Data("stylegan2-tiny"));
    private readonly SafetensorsFile _reference = SafetensorsFile.Open(RepositoryFiles.Data("stylegan2-tiny/forward.safetensors"));
    private readonly TorchSharp.DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _gradients = no_grad();

    private StyleGan2Generator Generator => _model.Generator;

    public void Dispose()
    {
        _gradients.Dispose();
        _scope.Dispose();
        _reference.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void Styles_equal_the_reference()
    {
        var z = _reference.Read("z");
        AssertClose("w", Generator.Map(z));
        AssertClose("w_psi05", Generator.Map(z, truncation: 0.5));
        AssertClose("w_psi07_cutoff3", Generator.Map(z, truncation: 0.7, truncationCutoff: 3));
    }

    [Fact]
    public void Images_equal_the_reference()
    {
        var z = _reference.Read("z");
        AssertClose("image_const", Generator.Generate(z, noise: NoiseMode.Constant));
        AssertClose("image_none", Generator.Generate(z, noise: NoiseMode.None));
        AssertClose("image_psi05_const", Generator.Generate(z, truncation: 0.5, noise: NoiseMode.Constant));
    }

    [Fact]
    public void Mixed_styles_give_the_image_of_the_reference()
    {
        var w = Generator.Map(_reference.Read("z"));
        var mixed = cat([w[0].narrow(0, 0, 2), w[1].narrow(0, 2, Generator.StyleCount - 2)], 0).unsqueeze(0);
        AssertClose("w_mixed_0_1_at_2", mixed);
        AssertClose("image_mixed_const", Generator.Synthesize(mixed, NoiseMode.Constant));
    }

    [Fact]
    public void Logits_equal_the_reference() =>
        AssertClose("d_logits_of_image_const", _model.Discriminator.Forward(_reference.Read("image_const")));

    private void AssertClose(string name, Tensor actual)
    {
        var expected = _reference.Read(name);
        Assert.Equal(expected.shape, actual.shape);
        var difference = (actual - expected).abs().max().item<float>();
        Assert.True(difference < 1e-4, $"{name}: worst difference {difference}");
        TestContext.Current.SendDiagnosticMessage($"{name}: worst difference {difference}");
    }
}
