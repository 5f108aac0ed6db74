import type { ReactNode } from "react";
import { NavTitle } from "@/components/nav-title.tsx";
import { ImageList } from "@/components/images/image-list.tsx";

export default function ImagesPage(): ReactNode {
  return (
    <>
      <NavTitle id="images" />
      <ImageList />
    </>
  );
}
