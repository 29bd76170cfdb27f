using System.Globalization;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.StyleGan2;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Models.Tests;

public class ShapesModelTests
{
    private const long MostBytes = 3 << 20;

    [Fact]
    public void Folder_holds_a_model_and_nothing_else()
    {
        Assert.Equal(Path.Combine(AppContext.BaseDirectory, "models", "shapes"), ShapesModel.Folder);
        Assert.Equal(
            ["config.json", "discriminator.safetensors", "generator.safetensors"],
            Directory.EnumerateFiles(ShapesModel.Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        Assert.InRange(Directory.EnumerateFiles(ShapesModel.Folder).Sum(file => new FileInfo(file).Length), 1, MostBytes);
    }

    [Fact]
    public void Missing_folder_is_reported_with_its_path()
    {
        string application = Path.Combine(Path.GetTempPath(), "application-without-models");

        var exception = Assert.Throws<DirectoryNotFoundException>(() => ShapesModel.FindIn(application));

        Assert.Contains(Path.Combine(application, "models", "shapes"), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_are_float16_and_as_many_as_the_model_card_says()
    {
        using var generator = SafetensorsFile.Open(Path.Combine(ShapesModel.Folder, StyleGan2Model.GeneratorFile));
        using var discriminator = SafetensorsFile.Open(Path.Combine(ShapesModel.Folder, StyleGan2Model.DiscriminatorFile));
        using var model = StyleGan2Model.Load(ShapesModel.Folder);

        Assert.All(
            generator.Tensors.Values.Concat(discriminator.Tensors.Values), tensor => Assert.Equal(ScalarType.Float16, tensor.DataType));
        var parameters = model.Generator.parameters().Concat(model.Discriminator.parameters()).Sum(parameter => parameter.numel());
        Assert.Contains($"{parameters.ToString("N0", CultureInfo.InvariantCulture)}, stored as float16",
            File.ReadAllText(Path.Combine(RepositoryFiles.Root, "src", "MLTransfer.Models.Shapes", "MODEL_CARD.md")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Pictures_have_a_pale_ground_and_something_darker_on_it()
    {
        using var model = StyleGan2Model.Load(ShapesModel.Folder);
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var random = new Generator(1);

        var pictures = model.Generator.Generate(randn([64, model.Generator.LatentWidth], generator: random), noise: NoiseMode.Constant);

        var corners = pictures[TensorIndex.Ellipsis, ..3, ..3].mean([1, 2, 3]);           // [64]
        var centres = pictures[TensorIndex.Ellipsis, 10..22, 10..22].mean([1, 2, 3]);
        Assert.InRange(corners.mean().item<float>(), 0.6f, 1);
        Assert.InRange((centres < corners - 0.2f).to(ScalarType.Float32).mean().item<float>(), 0.7f, 1);
    }
}
