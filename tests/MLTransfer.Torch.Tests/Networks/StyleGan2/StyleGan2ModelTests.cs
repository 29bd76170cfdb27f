using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.StyleGan2;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.StyleGan2;

[Collection(ProcessWideState.Name)]
public sealed class StyleGan2ModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_saved_model_has_the_files_and_bits_of_the_one_it_was_loaded_from()
    {
        using (var model = StyleGan2Model.Load(RepositoryFiles.Data("stylegan2-tiny")))
            model.Save(_folder.Path);
        foreach (var file in (string[])[StyleGan2Model.GeneratorFile, StyleGan2Model.DiscriminatorFile])
        {
            using var scope = NewDisposeScope();
            using var expected = SafetensorsFile.Open(RepositoryFiles.Data($"stylegan2-tiny/{file}"));
            using var actual = SafetensorsFile.Open(_folder[file]);
            Assert.Equal(expected.Tensors.Keys.Order(), actual.Tensors.Keys.Order());
            Assert.All(expected.Tensors.Keys, name => Assert.True(expected.Read(name).equal(actual.Read(name)).all().item<bool>(), name));
        }

        var configuration = JsonNode.Parse(File.ReadAllText(_folder["config.json"]))!;
        Assert.Equal(512, configuration["generator"]!["synthesis_kwargs"]!["channel_base"]!.GetValue<int>());
    }

    [Fact]
    public void Labels_decide_on_images_and_logits()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        manual_seed(3);
        using var model = StyleGan2Model.Create(
            StyleGan2Model.Configure(16, channelBase: 128, channelMaximum: 16, latentWidth: 8, mappingLayers: 2, labelWidth: 3));
        var (z, first, second) = (randn(4, 8), tensor(new float[] { 1, 0, 0 }).expand(4, 3), tensor(new float[] { 0, 1, 0 }).expand(4, 3));
        var image = model.Generator.Generate(z, first, noise: NoiseMode.None);
        Assert.Equal([4, 3, 16, 16], image.shape);
        Assert.False(image.allclose(model.Generator.Generate(z, second, noise: NoiseMode.None)));
        Assert.False(model.Discriminator.Forward(image, first).allclose(model.Discriminator.Forward(image, second)));
        Assert.Contains("labels", Assert.Throws<ArgumentException>(() => model.Generator.Generate(z)).Message);
        Assert.Contains("[4, 3]", Assert.Throws<ArgumentException>(() => model.Discriminator.Forward(image, z)).Message);

        model.Save(_folder.Path);
        using var loaded = StyleGan2Model.Load(_folder.Path);
        Assert.True(loaded.Generator.Generate(z, first, noise: NoiseMode.None).equal(image).all().item<bool>());
        Assert.Contains("mapping.embed.weight", StyleGan2Model.CheckpointTensors(loaded.Discriminator).Select(t => t.Key));
    }

    [Fact]
    public void New_layers_keep_the_variance_of_images_in_bounds()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        manual_seed(4);
        using var model = StyleGan2Model.Create(StyleGan2Model.Configure(32, channelBase: 1024, channelMaximum: 64, latentWidth: 64));
        var deviation = model.Generator.Generate(randn(8, 64)).std().item<float>();
        Assert.InRange(deviation, 0.1, 10);
    }

    [Fact]
    public void Random_noise_is_drawn_from_the_given_generator()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var model = StyleGan2Model.Load(RepositoryFiles.Data("stylegan2-tiny"));
        var z = ones(1, 32);
        Tensor Draw(ulong seed)
        {
            using var random = new Generator(seed, CPU);
            return model.Generator.Generate(z, random: random);
        }

        Assert.True(Draw(1).equal(Draw(1)).all().item<bool>());
        Assert.False(Draw(1).allclose(Draw(2)));
    }

    [Fact]
    public void Features_of_an_image_do_not_depend_on_its_batch()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var model = StyleGan2Model.Load(RepositoryFiles.Data("stylegan2-tiny"));
        var images = (arange(5 * 3 * 32 * 32, ScalarType.Float32) * 0.37).sin().view(5, 3, 32, 32);
        var together = model.Discriminator.Features(images);
        Assert.Equal([5, model.Discriminator.FeatureWidth], together.shape);
        Assert.True(together[3].allclose(model.Discriminator.Features(images.narrow(0, 3, 1))[0], atol: 1e-5));
        Assert.Equal([5, 1], model.Discriminator.Forward(images).shape); // a batch that groups of four do not divide
    }

    [Fact]
    public void A_folder_without_weights_tells_how_to_convert_a_released_file()
    {
        File.Copy(RepositoryFiles.Data("stylegan2-tiny/config.json"), _folder["config.json"]);
        File.WriteAllText(_folder["ffhq.pkl"], "");
        var message = Assert.Throws<FileNotFoundException>(() => StyleGan2Model.Load(_folder.Path)).Message;
        Assert.Contains("generator.safetensors", message);
        Assert.Contains("legacy.load_network_pkl", message);
        Assert.Contains(
            "legacy.load_network_pkl", Assert.Throws<InvalidDataException>(() => StyleGan2Model.Load(_folder["ffhq.pkl"])).Message);
    }

    [Fact]
    public void Another_filter_than_the_usual_one_is_refused()
    {
        using var scope = NewDisposeScope();
        using var model = StyleGan2Model.Load(RepositoryFiles.Data("stylegan2-tiny"));
        model.Save(_folder.Path);
        using (no_grad())
        {
            SafetensorsWriter.Write(_folder[StyleGan2Model.GeneratorFile], StyleGan2Model.CheckpointTensors(model.Generator)
                .Select(t => t.Key == "synthesis.b8.conv0.resample_filter" ? KeyValuePair.Create(t.Key, t.Value * 2) : t));
        }

        Assert.Contains(
            "synthesis.b8.conv0.resample_filter", Assert.Throws<NotSupportedException>(() => StyleGan2Model.Load(_folder.Path)).Message);
    }

    [Theory]
    [InlineData("generator.z_dim", "0", "generator.z_dim")]
    [InlineData("generator.w_dim", "99999999", "generator.w_dim")]
    [InlineData("generator.img_resolution", "33", "generator.img_resolution")]
    [InlineData("generator.img_resolution", "1073741824", "generator.img_resolution")]
    [InlineData("generator.img_resolution", "64", "img_resolution")]
    [InlineData("generator.img_channels", "-3", "generator.img_channels")]
    [InlineData("generator.mapping_kwargs", "null", "generator.mapping_kwargs")]
    [InlineData("generator.mapping_kwargs.num_layers", "1000000", "num_layers")]
    [InlineData("generator.mapping_kwargs.lr_multiplier", "0", "lr_multiplier")]
    [InlineData("generator.mapping_kwargs.w_avg_beta", "1.5", "w_avg_beta")]
    [InlineData("generator.synthesis_kwargs.channel_base", "31", "channel_base")]
    [InlineData("generator.synthesis_kwargs.channel_max", "\"many\"", "channel_max")]
    [InlineData("generator.synthesis_kwargs.channel_max", "64", "synthesis.b4.")]
    [InlineData("discriminator.epilogue_kwargs.mbstd_group_size", "0", "mbstd_group_size")]
    [InlineData("discriminator.epilogue_kwargs.mbstd_num_channels", "5", "mbstd_num_channels")]
    [InlineData("discriminator.conv_clamp", "-1", "conv_clamp")]
    [InlineData("discriminator", "[]", "discriminator")]
    public void A_broken_configuration_is_refused_with_the_entrys_name(string path, string value, string named) =>
        Assert.Contains(named, Assert.Throws<InvalidDataException>(() => LoadWith(path, value)).Message);

    [Theory]
    [InlineData("architecture", "\"stylegan3\"", "stylegan3")]
    [InlineData("generator.synthesis_kwargs.architecture", "\"orig\"", "orig")]
    [InlineData("generator.mapping_kwargs.activation", "\"relu\"", "relu")]
    [InlineData("discriminator.resample_filter", "[1, 2, 1]", "resample_filter")]
    public void A_variant_that_is_not_supported_is_named(string path, string value, string named) =>
        Assert.Contains(named, Assert.Throws<NotSupportedException>(() => LoadWith(path, value)).Message);

    private static void LoadWith(string path, string value)
    {
        var json = JsonNode.Parse(File.ReadAllText(RepositoryFiles.Data("stylegan2-tiny/config.json")))!.AsObject();
        var names = path.Split('.');
        var parent = names[..^1].Aggregate((JsonNode)json, (node, name) => node[name]!);
        parent[names[^1]] = JsonNode.Parse(value);
        using var generator = SafetensorsFile.Open(RepositoryFiles.Data("stylegan2-tiny/generator.safetensors"));
        using var discriminator = SafetensorsFile.Open(RepositoryFiles.Data("stylegan2-tiny/discriminator.safetensors"));
        using var model = StyleGan2Model.Load(json, generator, discriminator);
    }
}
