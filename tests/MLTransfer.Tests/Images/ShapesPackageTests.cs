using MLTransfer.Models;
using Xunit;

namespace MLTransfer.Tests.Images;

/// <summary>The embedded image generator is a package that an application adds.</summary>
public sealed class ShapesPackageTests
{
    [Fact]
    public void The_model_of_the_package_is_found_by_its_name()
    {
        Assert.Equal(ShapesModel.Id, PretrainedModels.Shapes);
        Assert.Equal(ShapesModel.Folder, PretrainedModels.ResolveImageFolder(PretrainedModels.Shapes));
    }

    [Fact]
    public void An_application_without_the_package_is_told_to_add_it()
    {
        using var application = new TemporaryFolder();
        Directory.CreateDirectory(application["models/tales"]);

        var message = Assert.Throws<DirectoryNotFoundException>(
            () => PretrainedModels.ResolveImageFolder(PretrainedModels.Shapes, application.Path)).Message;

        Assert.Contains("dotnet add package MLTransfer.Models.Shapes", message, StringComparison.Ordinal);
        Assert.Contains(application[Path.Combine("models", "shapes")], message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_library_does_not_bring_it_along()
    {
        var references = typeof(PretrainedModels).Assembly.GetReferencedAssemblies().Select(assembly => assembly.Name);
        Assert.DoesNotContain("MLTransfer.Models.Shapes", references);
        Assert.Contains("MLTransfer.Torch", references);
    }
}
