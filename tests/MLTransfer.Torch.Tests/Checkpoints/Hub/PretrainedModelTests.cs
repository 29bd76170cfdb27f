using FsCheck;
using FsCheck.Fluent;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Hub;
using Xunit;

namespace MLTransfer.Torch.Tests.Checkpoints.Hub;

public sealed class PretrainedModelTests : HubTest
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Folder_of_a_model_is_returned_as_it_is()
    {
        string folder = RepositoryFiles.Data("gpt2-tiny");

        Assert.Equal(folder, await PretrainedModel.ResolveAsync(folder, cancellationToken: Stop));
    }

    [Theory]
    [InlineData("./missing")]
    [InlineData("../missing/gpt2")]
    [InlineData("/missing/gpt2")]
    [InlineData("~/missing-model")]
    [InlineData("C:\\missing")]
    public async Task Path_without_a_folder_is_named(string path)
    {
        DirectoryNotFoundException e = await Assert.ThrowsAsync<DirectoryNotFoundException>(
            () => PretrainedModel.ResolveAsync(path, cancellationToken: Stop));

        Assert.Contains(path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Path_of_a_file_is_no_folder()
    {
        string file = RepositoryFiles.Data("gpt2-tiny/model.safetensors");

        DirectoryNotFoundException e = await Assert.ThrowsAsync<DirectoryNotFoundException>(
            () => PretrainedModel.ResolveAsync(file, cancellationToken: Stop));

        Assert.Contains(file, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Folder_without_a_configuration_is_refused()
    {
        FileNotFoundException e = await Assert.ThrowsAsync<FileNotFoundException>(
            () => PretrainedModel.ResolveAsync(CacheFolder, cancellationToken: Stop));

        Assert.Contains(CacheFolder, e.Message, StringComparison.Ordinal);
        Assert.Contains("config.json", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hub_id_gives_the_folder_in_the_cache()
    {
        using LocalHub hub = new LocalHub().WithTinyModel();

        string folder = await PretrainedModel.ResolveAsync("owner/model", () => Client(hub), revision: null, progress: null, Stop);

        Assert.Equal(SnapshotFolder, folder);
    }

    [Theory]
    [InlineData("a/b/c")]
    [InlineData("foo--bar")]
    [InlineData("foo..bar")]
    [InlineData("owner/.name")]
    [InlineData("owner/name.")]
    [InlineData("-name")]
    [InlineData("name-")]
    [InlineData("name.git")]
    [InlineData("na me")]
    [InlineData("name\n")]
    [InlineData("https://hub.example/gpt2")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456")]
    public void Malformed_id_is_refused(string id) =>
        Assert.Contains(id, Assert.Throws<ArgumentException>(() => HubModelId.Parse(id)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("gpt2", "models--gpt2")]
    [InlineData("openai-community/gpt2", "models--openai-community--gpt2")]
    [InlineData("Foo-BAR_foo.bar123", "models--Foo-BAR_foo.bar123")]
    [InlineData("_a/b_", "models--_a--b_")]
    public void Well_formed_id_has_its_folder_in_the_cache(string id, string folder) =>
        Assert.Equal(folder, HubModelId.Parse(id).FolderName);

    [Fact]
    public void No_id_and_no_revision_leads_out_of_the_cache()
    {
        Gen<string> texts = Gen.Elements('a', 'B', '0', '.', '-', '_', '/', '\\', ' ', ':', '~', '\0')
            .ArrayOf()
            .Select(characters => new string(characters));
        Prop.ForAll(texts.ToArbitrary(), texts.ToArbitrary(), (id, revision) =>
        {
            try
            {
                string root = Path.GetFullPath(CacheFolder) + Path.DirectorySeparatorChar;
                string folder = Path.Combine(root, HubModelId.Parse(id).FolderName, "refs");
                string reference = Path.GetFullPath(Path.Combine(folder, HubNames.CheckRevision(revision)));
                return folder.StartsWith(root, StringComparison.Ordinal)
                    && reference.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);
            }
            catch (ArgumentException)
            {
                return true;
            }
        }).QuickCheckThrowOnFailure();
    }
}
